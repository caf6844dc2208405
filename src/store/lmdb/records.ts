/**
 * The format of the embedded store. The log has one record per change, with a key that orders changes by revision and
 * then within their commit; the index has the log key of the newest record of each key.
 */
import type { Change } from "../store.ts";

const changesPerCommit = 65_536;

/** The log key of a change. 2^37 revisions fit in a number exactly. */
export function logKey(revision: number, index: number): number {
	if (index >= changesPerCommit) throw new Error(`a commit of more than ${changesPerCommit} changes`);
	return revision * changesPerCommit + index;
}

export function revisionOf(key: number): number {
	return Math.floor(key / changesPerCommit);
}

/** The index's entry for a key. */
export interface Pointer {
	/** Log key of its newest record. */
	record: number;
	createRevision: number;
}

export function encodePointer({ record, createRevision }: Pointer): Buffer {
	const bytes = Buffer.allocUnsafe(16);
	bytes.writeDoubleLE(record, 0);
	bytes.writeDoubleLE(createRevision, 8);
	return bytes;
}

export function decodePointer(bytes: Buffer): Pointer {
	return { record: bytes.readDoubleLE(0), createRevision: bytes.readDoubleLE(8) };
}

export interface LogRecord {
	type: Change["type"];
	key: string;
	/** Empty for a delete. */
	value: Uint8Array;
	/** 0 for a delete. */
	createRevision: number;
	/** Log key of the record that this one supersedes; 0 for none. */
	previous: number;
}

const headerBytes = 19;

export function encodeRecord({ type, key, value, createRevision, previous }: LogRecord): Buffer {
	const keyBytes = Buffer.byteLength(key);
	const bytes = Buffer.allocUnsafe(headerBytes + keyBytes + value.length);
	bytes[0] = type === "put" ? 1 : 2;
	bytes.writeDoubleLE(createRevision, 1);
	bytes.writeDoubleLE(previous, 9);
	bytes.writeUInt16LE(keyBytes, 17);
	bytes.write(key, headerBytes);
	bytes.set(value, headerBytes + keyBytes);
	return bytes;
}

/** The value shares memory with the bytes. */
export function decodeRecord(bytes: Buffer): LogRecord {
	const valueStart = headerBytes + bytes.readUInt16LE(17);
	return {
		type: bytes[0] === 1 ? "put" : "delete",
		createRevision: bytes.readDoubleLE(1),
		previous: bytes.readDoubleLE(9),
		key: bytes.toString("utf8", headerBytes, valueStart),
		value: bytes.subarray(valueStart),
	};
}
