/** The end of a container's log, up to the size that the run history keeps. */
import { lstat, readdir } from "node:fs/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { largestLogBytes } from "../../core/ended-log.ts";
import { inParent, openRegular } from "../../linux/no-links.ts";

/** The maximum number of bytes read from the end of a log. */
const mostBytes = 4 * 1024 * 1024;
/** Compression does not pay off for shorter logs. */
const leastPackedBytes = 256;
const newline = 0x0a;

export interface EndOfLog {
	/** In CRI format; after `packed`, compressed if that makes it smaller. */
	data: Uint8Array;
	bytes: number;
	omittedBytes: number;
}

export function endOfText(text: string): EndOfLog {
	return cut(Buffer.from(text), 0, mostBytes);
}

/** Reads the end of a log file and of its rotated files; empty if there is none. */
export async function endOfLogFile(path: string): Promise<EndOfLog> {
	const { directory, files } = await logFiles(path);
	const parts: Buffer[] = [];
	let bytes = 0;
	let omittedBytes = 0;
	// Newest first.
	for (const { name, size } of files) {
		const wanted = Math.min(size, mostBytes - bytes);
		omittedBytes += size - wanted;
		if (wanted === 0) continue;
		const part = await lastBytes(`${directory}/${name}`, size, wanted);
		parts.unshift(part);
		bytes += part.length;
	}
	return cut(Buffer.concat(parts), omittedBytes, mostBytes);
}

async function logFiles(path: string): Promise<{ directory: string; files: { name: string; size: number }[] }> {
	const found = await inParent(path, async (parent, name) => {
		const files: { name: string; size: number }[] = [];
		for (const other of await readdir(parent.path)) {
			if (other !== name && !other.startsWith(`${name}.`)) continue;
			const { size } = await lstat(parent.at(other));
			files.push({ name: other, size });
		}
		// Sorts `0.log`, then `0.log.20260102-030405`, newest first.
		return files.sort((a, b) => (a.name === name ? -1 : b.name === name ? 1 : a.name < b.name ? 1 : -1));
	}).catch(() => []);
	return { directory: path.slice(0, path.lastIndexOf("/")), files: found };
}

async function lastBytes(path: string, size: number, wanted: number): Promise<Buffer> {
	const file = await openRegular(path);
	try {
		const { buffer, bytesRead } = await file.read(Buffer.alloc(wanted), 0, wanted, size - wanted);
		return buffer.subarray(0, bytesRead);
	} finally {
		await file.close();
	}
}

/** The newest complete lines. */
function cut(data: Buffer, omitted: number, most: number): EndOfLog {
	let start = Math.max(data.length - most, 0);
	if (omitted > 0 || start > 0) start = data.indexOf(newline, start) + 1;
	const kept = data.subarray(start);
	return { data: kept, bytes: kept.length, omittedBytes: omitted + start };
}

const compress = promisify(gzip);

/** Compresses the log, and drops its beginning if it is still too large. Does nothing if it is compressed already. */
export async function packed(log: EndOfLog): Promise<EndOfLog> {
	if (log.data.length !== log.bytes || log.bytes < leastPackedBytes) return log;
	const data = await compress(log.data);
	if (data.length <= largestLogBytes) return { data, bytes: log.bytes, omittedBytes: log.omittedBytes };
	const { data: text, omittedBytes } = log;
	return packed(cut(Buffer.from(text.buffer, text.byteOffset, text.length), omittedBytes, Math.floor(text.length / 2)));
}
