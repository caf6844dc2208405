/** Files of an archive of images, which is unpacked into a directory of its own, under names that nothing can leave. */
import { createHash } from "node:crypto";
import {
	closeSync,
	createReadStream,
	existsSync,
	mkdirSync,
	openSync,
	readFileSync,
	statSync,
	writeSync,
} from "node:fs";
import { join } from "node:path";
import { decompressed } from "../layers/decompress.ts";
import { TarReader } from "../layers/tar-reader.ts";
import { ImageFailure } from "../model/failure.ts";

/** Where the files of an archive, or of an OCI layout, are. */
export interface ArchiveFiles {
	/** Path of a file's content; undefined if there is none. */
	path(name: string): string | undefined;
}

const mostEntries = 100_000;
const mostLinks = 8;

/** An OCI layout in a directory. */
export function directoryFiles(directory: string): ArchiveFiles {
	return {
		path(name) {
			if (name.split("/").includes("..")) return undefined;
			const path = join(directory, name);
			return existsSync(path) ? path : undefined;
		},
	};
}

/**
 * Unpacks an archive: plain, gzip or zstd.
 * @param into does not exist yet
 */
export async function unpackArchive(file: string, into: string): Promise<ArchiveFiles> {
	mkdirSync(into, { mode: 0o700 });
	const aliases = new Map<string, string>();
	const place = (name: string) => join(into, createHash("sha256").update(name).digest("hex"));
	let entries = 0;
	let open: number | undefined;
	const close = () => {
		if (open !== undefined) closeSync(open);
		open = undefined;
	};
	const reader = new TarReader(({ name, link, type, size }) => {
		close();
		if (++entries > mostEntries) throw new ImageFailure("refused", `the archive has over ${mostEntries} entries`);
		const plain = plainName(name);
		// Docker writes links between equal layers.
		if (type === "2") aliases.set(plain, plainName(`${plain.slice(0, plain.lastIndexOf("/") + 1)}${link}`));
		else if (type === "1") aliases.set(plain, plainName(link));
		if (type !== "0") return undefined;
		const fd = openSync(place(plain), "w", 0o600);
		open = fd;
		let left = size;
		return (chunk) => {
			const wanted = chunk.subarray(0, Math.min(left, chunk.length));
			left -= wanted.length;
			for (let at = 0; at < wanted.length; ) at += writeSync(fd, wanted, at);
		};
	});
	try {
		// A stream without an encoding yields buffers.
		const source = createReadStream(file, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>;
		for await (const chunk of decompressed(source)) reader.push(chunk);
		if (!reader.isComplete) throw new ImageFailure("invalid", `${file} is cut off`);
	} finally {
		close();
	}
	return {
		path(name) {
			let found = plainName(name);
			for (let links = 0; links < mostLinks && aliases.has(found); links++) found = aliases.get(found) ?? found;
			return existsSync(place(found)) ? place(found) : undefined;
		},
	};
}

/** Text of a small file. */
export function smallFile(files: ArchiveFiles, name: string): Buffer | undefined {
	const path = files.path(name);
	if (path === undefined) return undefined;
	if (statSync(path).size > largestSmallFile)
		throw new ImageFailure("refused", `${name} has over ${largestSmallFile} bytes`);
	return readFileSync(path);
}

const largestSmallFile = 8 << 20;

/** Without `.`, and with `..` resolved as far as possible. */
function plainName(name: string): string {
	const parts: string[] = [];
	for (const part of name.split("/")) {
		if (part === "..") parts.pop();
		else if (part !== "" && part !== ".") parts.push(part);
	}
	return parts.join("/");
}
