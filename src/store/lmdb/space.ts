/** Checks that there is room for a transaction: LMDB survives a full disk, but its state in memory may be damaged. */
import { statfsSync } from "node:fs";
import { ApiError } from "../../core/errors.ts";

/** The maximum size of a transaction in addition to its values: the pages of three trees for each record. */
const treeBytes = 3 * 4096;
/** What must remain free on the disk. */
const reserveBytes = 1024 * 1024;
/**
 * Records up to this size may use most of the reserve, and fit into free pages of the file: on a full disk, objects can
 * still be deleted, and nodes can renew their leases.
 */
const smallRecordBytes = 16 * 1024;
const leastReserveBytes = 384 * 1024;
/** Some of the free pages belong to transactions that are still being read. */
const usableShare = 1 / 4;

export interface Space {
	folder: string;
	/** Free on the disk. */
	diskBytes: number;
	/** In free pages of the file. */
	fileBytes: number;
}

export function freeOnDisk(folder: string): number {
	const { bavail, bsize } = statfsSync(folder);
	return bavail * bsize;
}

/**
 * @param records to be written
 * @throws ApiError InternalError
 */
export function checkSpace({ folder, diskBytes, fileBytes }: Space, records: ReadonlyMap<number, Uint8Array>): void {
	let neededBytes = records.size * treeBytes;
	let isSmall = true;
	for (const { length } of records.values()) {
		neededBytes += 2 * length;
		isSmall &&= length <= smallRecordBytes;
	}
	if (diskBytes >= neededBytes + reserveBytes) return;
	if (isSmall && diskBytes >= neededBytes + leastReserveBytes) return;
	if (isSmall && fileBytes * usableShare >= neededBytes + leastReserveBytes) return;
	throw new ApiError("InternalError", `the disk of ${folder} is full: nothing was changed`);
}
