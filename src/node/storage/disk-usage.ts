/** Disk usage of a directory, counted like `du`. */
import { lstat, opendir } from "node:fs/promises";
import { type HeldDirectory, holdDirectory } from "../../linux/no-links.ts";

/** Entries of larger trees are not counted beyond this limit. */
const mostEntries = 200_000;
/** The maximum number of directories held open; deeper ones are not counted. */
const deepest = 60;
const blockBytes = 512;

/**
 * Bytes on disk of a directory or file and everything in it; 0 if it does not exist. Links are not followed, and a file
 * with several names counts once.
 * @param enoughBytes stops counting above this size
 */
export async function diskUsage(path: string, enoughBytes: number = Number.POSITIVE_INFINITY): Promise<number> {
	let directory: HeldDirectory;
	try {
		directory = holdDirectory(path);
	} catch {
		return 0;
	}
	const look: Look = { bytes: 0, entries: 0, seen: new Set(), enoughBytes };
	try {
		await count(directory, look, 0);
	} finally {
		directory.close();
	}
	return look.bytes;
}

interface Look {
	bytes: number;
	entries: number;
	/** Inodes of files with several names. */
	seen: Set<number>;
	enoughBytes: number;
}

async function count(directory: HeldDirectory, look: Look, depth: number): Promise<void> {
	for await (const { name } of await opendir(directory.path)) {
		if (look.bytes > look.enoughBytes || ++look.entries > mostEntries) return;
		const found = await lstat(directory.at(name)).catch(() => undefined);
		// Removed in the meantime.
		if (found === undefined) continue;
		if (found.nlink > 1 && !found.isDirectory()) {
			if (look.seen.has(found.ino)) continue;
			look.seen.add(found.ino);
		}
		look.bytes += found.blocks * blockBytes;
		if (!found.isDirectory() || depth === deepest) continue;
		let child: HeldDirectory;
		try {
			child = directory.enter(name);
		} catch {
			continue;
		}
		try {
			await count(child, look, depth + 1);
		} finally {
			child.close();
		}
	}
}
