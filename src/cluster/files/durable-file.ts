import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Writes a file with access for its owner only. A crash of the process or the machine, or a full disk, leaves the old
 * file or the new one.
 * @throws Error of the file system: the old file is unchanged
 */
export function writeDurably(file: string, content: string | Uint8Array): void {
	const draft = `${file}.new`;
	// A leftover draft may have another mode.
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

/** Syncs a file's content to disk. */
export function syncFile(file: string): void {
	const descriptor = openSync(file, "r+");
	try {
		fsyncSync(descriptor);
	} finally {
		closeSync(descriptor);
	}
}

/** Syncs created, renamed or removed entries of a folder to disk. */
export function syncFolder(folder: string): void {
	const descriptor = openSync(folder, "r");
	try {
		fsyncSync(descriptor);
	} finally {
		closeSync(descriptor);
	}
}
