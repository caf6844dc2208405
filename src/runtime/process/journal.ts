import { closeSync, constants, openSync, readSync, writeSync, writevSync } from "node:fs";

/** Length of the data, size of the log before it (or -1: not begun). */
const headerBytes = 16;
const longestData = 128 * 1024;

/**
 * The one chunk of a stream that is being written to the log. A pipe forgets what was read from it: should the agent be killed
 * before the chunk is in the log, the next agent finds it here.
 */
export class Journal {
	readonly #fd: number;
	#empty = false;

	constructor(path: string) {
		this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
	}

	/** The chunk that the agent before this one had not finished, and the size the log had before it; undefined for none. */
	recover(): { data: Buffer; logSize: number | undefined } | undefined {
		const content = Buffer.alloc(headerBytes + longestData);
		const read = readSync(this.#fd, content, 0, content.length, 0);
		if (read < headerBytes) return undefined;
		const length = content.readUInt32LE(0);
		const logSize = content.readDoubleLE(8);
		if (length === 0 || read < headerBytes + length) return undefined;
		return { data: content.subarray(headerBytes, headerBytes + length), logSize: logSize < 0 ? undefined : logSize };
	}

	/** Before the chunk is written. */
	begin(data: Buffer, logSize: number): void {
		writevSync(this.#fd, [header(data.length, logSize), data], 0);
		this.#empty = false;
	}

	/** After it was written but for the bytes `held` back. */
	finish(held: Buffer): void {
		if (held.length === 0 && this.#empty) return;
		if (held.length === 0) writeSync(this.#fd, header(0, -1), 0, headerBytes, 0);
		else writevSync(this.#fd, [header(held.length, -1), held], 0);
		this.#empty = held.length === 0;
	}

	close(): void {
		closeSync(this.#fd);
	}
}

function header(length: number, logSize: number): Buffer {
	const bytes = Buffer.alloc(headerBytes);
	bytes.writeUInt32LE(length, 0);
	bytes.writeDoubleLE(logSize, 8);
	return bytes;
}
