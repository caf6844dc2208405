/**
 * Reads tar streams: ustar, pax (POSIX.1-2001) and GNU's extensions for long names and sparse files. A push parser,
 * because layers are streams. Everything that it reads may be hostile: sizes are bounded, and nothing is trusted.
 */
import { ImageFailure } from "../model/failure.ts";

export interface TarEntry {
	/** As in the archive; may be anything. */
	name: string;
	link: string;
	/**
	 * The header's type: `0` file, `1` hard link, `2` symbolic link, `3`, `4` devices, `5` directory, `6` FIFO, `S`
	 * sparse file.
	 */
	type: string;
	mode: number;
	uid: number;
	gid: number;
	/** Seconds, with fractions. */
	mtime: number;
	/** Bytes of data in the archive. */
	size: number;
	/** Extended attributes by name. */
	xattrs: ReadonlyMap<string, Buffer>;
	/** Pax records of sparse files (`GNU.sparse.…`), in order. */
	sparse: readonly (readonly [string, string])[];
	/** Sparse files of type `S`: GNU's part of the header, and the blocks with the rest of the map. */
	gnuMap?: Buffer;
}

/** Receives the data of an entry, padded to whole blocks, in chunks. Undefined: it is skipped. */
export type TarSink = (chunk: Buffer) => void;

const block = 512;
/** Of one extended header: a path is at most 4096 bytes, an attribute 64 KiB. */
const longestHeader = 1 << 20;
/** Of the map of one sparse file, in blocks of 21 parts. */
const mostMapBlocks = 4096;

interface Records {
	plain: Map<string, string>;
	xattrs: Map<string, Buffer>;
	sparse: [string, string][];
}

export class TarReader {
	readonly #entry: (entry: TarEntry) => TarSink | undefined;
	#pending: Buffer[] = [];
	#have = 0;
	#need = block;
	#state: "header" | "extended" | "map" | "data" | "end" = "header";
	#left = 0;
	#sink: TarSink | undefined;
	#extended = { type: "", size: 0 };
	#records: Records = emptyRecords();
	#longName: string | undefined;
	#longLink: string | undefined;
	#sparseHeader: { header: Buffer; map: Buffer[] } | undefined;

	/** @param entry called for each entry, before its data */
	constructor(entry: (entry: TarEntry) => TarSink | undefined) {
		this.#entry = entry;
	}

	/** Whether the archive's end was read, or it ended between two entries. */
	get isComplete(): boolean {
		return this.#state === "end" || (this.#state === "header" && this.#have === 0);
	}

	/** @throws ImageFailure if it is no tar stream */
	push(chunk: Buffer): void {
		let at = 0;
		while (at < chunk.length && this.#state !== "end") {
			if (this.#state === "data") {
				const taken = Math.min(this.#left, chunk.length - at);
				this.#sink?.(chunk.subarray(at, at + taken));
				this.#left -= taken;
				at += taken;
				if (this.#left === 0) this.#expect("header", block);
				continue;
			}
			const taken = Math.min(this.#need - this.#have, chunk.length - at);
			const part = chunk.subarray(at, at + taken);
			at += taken;
			if (this.#have === 0 && taken === this.#need) this.#take(part);
			else {
				this.#pending.push(Buffer.from(part));
				this.#have += taken;
				if (this.#have < this.#need) return;
				const whole = Buffer.concat(this.#pending);
				this.#pending = [];
				this.#have = 0;
				this.#take(whole);
			}
		}
	}

	#expect(state: "header" | "extended" | "map", bytes: number): void {
		this.#state = state;
		this.#need = bytes;
	}

	#take(bytes: Buffer): void {
		if (this.#state === "extended") this.#readExtended(bytes);
		else if (this.#state === "map") this.#readMap(bytes);
		else this.#readHeader(bytes);
	}

	#readHeader(header: Buffer): void {
		if (header[0] === 0 && header.every((byte) => byte === 0)) {
			this.#state = "end";
			return;
		}
		if (checksum(header) !== numberIn(header, 148, 8)) throw damaged("a header with a wrong checksum");
		const type = header[156] === 0 ? "0" : String.fromCharCode(header[156] ?? 0);
		const size = numberIn(header, 124, 12);
		if ("xgLK".includes(type)) {
			if (size > longestHeader) throw damaged(`an extended header of ${size} bytes`);
			this.#extended = { type, size };
			if (size > 0) this.#expect("extended", blocks(size));
			return;
		}
		if (type === "S") {
			this.#sparseHeader = { header: Buffer.from(header), map: [] };
			// One byte says that the map continues in a block of its own.
			if (header[482] !== 0) {
				this.#expect("map", block);
				return;
			}
		}
		this.#begin(header, type, size);
	}

	#readMap(bytes: Buffer): void {
		const sparse = this.#sparseHeader;
		if (sparse === undefined) throw damaged("a map of no file");
		sparse.map.push(Buffer.from(bytes));
		if (sparse.map.length > mostMapBlocks) throw damaged("a sparse file with too many parts");
		if (bytes[504] !== 0) return;
		this.#begin(sparse.header, "S", numberIn(sparse.header, 124, 12));
	}

	#begin(header: Buffer, type: string, headerSize: number): void {
		const { plain, xattrs, sparse } = this.#records;
		// GNU's own format uses these bytes otherwise.
		const prefix = header.toString("latin1", 257, 263) === "ustar\0" ? textIn(header, 345, 155) : "";
		const short = (prefix === "" ? "" : `${prefix}/`) + textIn(header, 0, 100);
		const number = (key: string, value: number) => {
			const given = plain.get(key);
			return given === undefined ? value : Number(given);
		};
		const holdsData = !"123456".includes(type);
		const size = number("size", headerSize);
		if (!Number.isSafeInteger(size) || size < 0) throw damaged(`a size of ${size}`);
		const gnu = this.#sparseHeader;
		const entry: TarEntry = {
			name: plain.get("path") ?? this.#longName ?? short,
			link: plain.get("linkpath") ?? this.#longLink ?? textIn(header, 157, 100),
			type,
			mode: numberIn(header, 100, 8) & 0o7777,
			uid: number("uid", numberIn(header, 108, 8)),
			gid: number("gid", numberIn(header, 116, 8)),
			mtime: number("mtime", numberIn(header, 136, 12)),
			size: holdsData ? size : 0,
			xattrs,
			sparse,
			...(gnu === undefined ? {} : { gnuMap: Buffer.concat([gnu.header.subarray(345, 512), ...gnu.map]) }),
		};
		this.#records = emptyRecords();
		this.#longName = undefined;
		this.#longLink = undefined;
		this.#sparseHeader = undefined;
		this.#sink = this.#entry(entry);
		this.#left = blocks(entry.size);
		if (this.#left > 0) this.#state = "data";
		else this.#expect("header", block);
	}

	#readExtended(bytes: Buffer): void {
		const { type, size } = this.#extended;
		this.#expect("header", block);
		const data = bytes.subarray(0, size);
		if (type === "L") this.#longName = textIn(data, 0, size);
		else if (type === "K") this.#longLink = textIn(data, 0, size);
		// Global records (`g`) are comments in practice; nothing that they say about files is heeded.
		else if (type === "x") readRecords(data, this.#records);
	}
}

function emptyRecords(): Records {
	return { plain: new Map(), xattrs: new Map(), sparse: [] };
}

const xattrPrefix = "SCHILY.xattr.";

/** `LENGTH KEY=VALUE\n`, where LENGTH counts all of it. */
function readRecords(data: Buffer, records: Records): void {
	for (let at = 0; at < data.length; ) {
		const space = data.indexOf(32, at);
		const length = Number(data.toString("latin1", at, space));
		const equals = data.indexOf(61, space);
		const end = at + length;
		if (space < 0 || !(length > 0) || equals < 0 || equals >= end || end > data.length || data[end - 1] !== 10)
			throw damaged("an extended header that cannot be read");
		const key = data.toString("utf8", space + 1, equals);
		const value = data.subarray(equals + 1, end - 1);
		if (key.startsWith(xattrPrefix)) records.xattrs.set(key.slice(xattrPrefix.length), Buffer.from(value));
		else if (key.startsWith("GNU.sparse.")) records.sparse.push([key, value.toString("utf8")]);
		else records.plain.set(key, value.toString("utf8"));
		at = end;
	}
}

export function blocks(bytes: number): number {
	return Math.ceil(bytes / block) * block;
}

function damaged(what: string): ImageFailure {
	return new ImageFailure("invalid", `the layer is not a valid tar archive: it has ${what}`);
}

/** The sum of all bytes, with blanks for the sum itself. */
function checksum(header: Buffer): number {
	let sum = 256;
	for (let at = 0; at < block; at++) if (at < 148 || at > 155) sum += header[at] ?? 0;
	return sum;
}

function textIn(bytes: Buffer, from: number, length: number): string {
	const end = bytes.indexOf(0, from);
	return bytes.toString("utf8", from, end < 0 || end > from + length ? from + length : end);
}

/** Octal digits, or GNU's binary numbers. */
function numberIn(header: Buffer, from: number, length: number): number {
	const first = header[from] ?? 0;
	if ((first & 0x80) !== 0) {
		// Negative ones, for times before 1970, have all bits set.
		let value = first === 0xff ? -1 : first & 0x7f;
		for (let at = from + 1; at < from + length; at++) value = value * 256 + (header[at] ?? 0);
		return value;
	}
	const digits = textIn(header, from, length).trim();
	return digits === "" ? 0 : Number.parseInt(digits, 8);
}
