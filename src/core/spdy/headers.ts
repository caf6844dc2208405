/** Header blocks of SPDY/3.1: names and values, compressed with zlib and the specification's dictionary. */
import { createInflate, type Inflate } from "node:zlib";

/** Words of the dictionary that are preceded by their length, in the specification's order. */
const words =
	"options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow " +
	"authorization cache-control connection content-base content-encoding content-language content-length " +
	"content-location content-md5 content-range content-type date etag expect expires from host if-match " +
	"if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma " +
	"proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade " +
	"user-agent vary via warning www-authenticate method get status 200+OK version HTTP/1.1 url public set-cookie " +
	"keep-alive origin";

/** The rest of the dictionary: status codes, dates, media types. */
const phrases =
	"100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505" +
	"203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden" +
	"404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable" +
	"Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT" +
	"chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript," +
	"publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

/** The header dictionary (SPDY protocol draft 3.1, section 2.6.10.1): 1,423 bytes. */
export const dictionary: Buffer = Buffer.concat([
	...words.split(" ").flatMap((word) => {
		const text = Buffer.from(word.replace("+", " "), "latin1");
		return [uint32(text.length), text];
	}),
	Buffer.from(phrases, "latin1"),
]);

/** zlib header of a stream with this dictionary: the last four bytes are its Adler-32. */
const zlibHeader = Buffer.from([0x78, 0xbb, 0xe3, 0xc6, 0xa7, 0xc2]);
/** An empty stored block, which makes Go's reader return everything before it. */
const emptyBlock = Buffer.from([0, 0, 0, 0xff, 0xff]);
const longestStored = 0xffff;
/** More than any Kubernetes client sends, and small enough to be harmless. */
const longestBlock = 256 * 1024;

export type Headers = ReadonlyMap<string, string>;

export class HeaderEncoder {
	#begun = false;

	/** Stored without compression: a stream has only a few short headers. */
	encode(headers: Headers): Buffer {
		const parts = [uint32(headers.size)];
		for (const [name, value] of headers) {
			for (const text of [Buffer.from(name.toLowerCase(), "latin1"), Buffer.from(value, "latin1")]) {
				parts.push(uint32(text.length), text);
			}
		}
		const raw = Buffer.concat(parts);
		if (raw.length > longestStored)
			throw new Error(`header block of ${raw.length} bytes, ${longestStored} is the most`);
		const block = Buffer.alloc(5);
		block.writeUInt16LE(raw.length, 1);
		block.writeUInt16LE(~raw.length & 0xffff, 3);
		const start = this.#begun ? [] : [zlibHeader];
		this.#begun = true;
		return Buffer.concat([...start, block, raw, emptyBlock]);
	}
}

export class HeaderDecoder {
	readonly #inflate: Inflate = createInflate({ dictionary });
	#parts: Buffer[] = [];
	#size = 0;
	#error: Error | undefined;

	constructor() {
		this.#inflate.on("data", (part: Buffer) => {
			this.#size += part.length;
			if (this.#size <= longestBlock) this.#parts.push(part);
			// A kilobyte can decompress to a megabyte.
			else this.#inflate.destroy(new Error(`header block of more than ${longestBlock} bytes`));
		});
		this.#inflate.on("error", (error) => {
			this.#error = error;
		});
		// Data after the end of a compressed stream would never be processed.
		this.#inflate.on("end", () => this.#inflate.destroy(new Error("the header blocks have ended")));
	}

	/**
	 * Decodes one block. Blocks must be passed in order and one at a time.
	 * @throws for an invalid block
	 */
	async decode(block: Buffer): Promise<Headers> {
		await new Promise<void>((resolve, reject) => {
			if (this.#error !== undefined) reject(this.#error);
			this.#inflate.once("error", reject);
			this.#inflate.write(block, () => {
				this.#inflate.off("error", reject);
				resolve();
			});
		});
		const raw = Buffer.concat(this.#parts);
		const size = this.#size;
		this.#parts = [];
		this.#size = 0;
		if (size > longestBlock) throw new Error(`header block of ${size} bytes, ${longestBlock} is the most`);
		return parse(raw);
	}

	close(): void {
		this.#inflate.destroy();
	}
}

function parse(raw: Buffer): Headers {
	const headers = new Map<string, string>();
	let offset = 4;
	const next = () => {
		const length = raw.readUInt32BE(offset);
		const text = raw.toString("latin1", offset + 4, offset + 4 + length);
		offset += 4 + length;
		return text;
	};
	for (let count = raw.readUInt32BE(0); count > 0; count--) {
		const name = next();
		headers.set(name, next());
	}
	return headers;
}

export function uint32(value: number): Buffer {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32BE(value >>> 0);
	return bytes;
}
