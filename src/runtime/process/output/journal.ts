import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";

/** The chunk that was about to be appended to the log. */
export interface PendingChunk {
	/** Index of its stream. */
	stream: number;
	/** Bytes of the raw stream, from the position noted for it. */
	length: number;
	timeMs: number;
}

/** How far the log of a container has come. */
export interface LogProgress {
	/** By stream, the bytes that are in the log: those of the pending chunk come after them. */
	positions: [number, number];
	/** The log file without the pending chunk. */
	log: { inode: bigint; size: number };
	pending?: PendingChunk;
}

const recordBytes = 56;

/**
 * One record, written before each append to the log: which bytes are about to go where. Should the agent be killed, the
 * next one sees by the size of the log how much of them arrived. Less than a page written at once is there as a whole
 * or not at all.
 */
export class Journal {
	readonly #fd: number;
	readonly #record = Buffer.alloc(recordBytes);

	constructor(path: string) {
		this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
	}

	/** Undefined where nothing was written yet. */
	read(): LogProgress | undefined {
		const record = Buffer.alloc(recordBytes);
		if (readSync(this.#fd, record, 0, recordBytes, 0) < recordBytes) return undefined;
		const length = record.readUInt32LE(4);
		return {
			positions: [record.readDoubleLE(8), record.readDoubleLE(16)],
			log: { inode: record.readBigUInt64LE(24), size: record.readDoubleLE(32) },
			...(length === 0 ? {} : { pending: { stream: record.readUInt32LE(0), length, timeMs: record.readDoubleLE(40) } }),
		};
	}

	write({ positions, log, pending }: LogProgress): void {
		const record = this.#record;
		record.writeUInt32LE(pending?.stream ?? 0, 0);
		record.writeUInt32LE(pending?.length ?? 0, 4);
		record.writeDoubleLE(positions[0], 8);
		record.writeDoubleLE(positions[1], 16);
		record.writeBigUInt64LE(log.inode, 24);
		record.writeDoubleLE(log.size, 32);
		record.writeDoubleLE(pending?.timeMs ?? 0, 40);
		writeSync(this.#fd, record, 0, recordBytes, 0);
	}

	close(): void {
		closeSync(this.#fd);
	}
}
