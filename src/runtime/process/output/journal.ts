import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";

/** The chunk that was about to be appended to the log. */
export interface PendingChunk {
	/** Index of its stream. */
	stream: number;
	/** Number of bytes of the raw stream, from the stream's position. */
	length: number;
	timeMs: number;
}

/** The progress of a container's log. */
export interface LogProgress {
	/** By stream, the number of bytes in the log, without those of the pending chunk. */
	positions: [number, number];
	/** The log file without the pending chunk. */
	log: { inode: bigint; size: number };
	pending?: PendingChunk;
}

const recordBytes = 56;

/**
 * One record, written before each append to the log, that describes the append. If the agent is killed, the next one
 * determines from the size of the log how much was written. A write of less than a page is atomic.
 */
export class Journal {
	readonly #fd: number;
	readonly #record = Buffer.alloc(recordBytes);

	constructor(path: string) {
		this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
	}

	/** Undefined if nothing was written yet. */
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
