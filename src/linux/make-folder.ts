/** Folders that users name. */
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a folder and what is missing above it, as `mkdirSync` does with `recursive`, which never returns where the
 * kernel takes no folders, as below /proc.
 * @returns the first one that was made; undefined: it was there
 * @throws Error of `mkdirSync`
 */
export function makeFolder(path: string, mode = 0o777): string | undefined {
	try {
		mkdirSync(path, { mode });
		return path;
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException; // what mkdirSync throws
		if (code === "EEXIST" && isFolder(path)) return undefined;
		const parent = dirname(path);
		if (code !== "ENOENT" || parent === path || isFolder(parent)) throw error;
		const first = makeFolder(parent, mode);
		return makeFolder(path, mode) === undefined ? first : (first ?? path);
	}
}

function isFolder(path: string): boolean {
	return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
