import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Writes a file for its owner alone. A crash, a full disk or the machine's end at any time leaves the old file or the
 * new.
 * @throws Error of the file system: then the old file is as it was
 */
export function writeDurably(file: string, content: string | Uint8Array): void {
	const draft = `${file}.new`;
	// A draft that was left behind may have another mode.
	rmSync(draft, { force: true });
	try {
		writeFileSync(draft, content, { mode: 0o600, flag: "wx", flush: true });
		renameSync(draft, file);
	} catch (error) {
		rmSync(draft, { force: true });
		throw error;
	}
	syncFolder(dirname(file));
}

/** Brings a file's content to the disk. */
export function syncFile(file: string): void {
	const descriptor = openSync(file, "r+");
	try {
		fsyncSync(descriptor);
	} finally {
		closeSync(descriptor);
	}
}

/** Brings names that were made, renamed or removed in the folder to the disk. */
export function syncFolder(folder: string): void {
	const descriptor = openSync(folder, "r");
	try {
		fsyncSync(descriptor);
	} finally {
		closeSync(descriptor);
	}
}
