/** Files and directories that may be missing, or not ours to read: that is no failure where these are used. */
import { accessSync, constants, readdirSync, readFileSync } from "node:fs";

/** What a file says; undefined where there is none to read. */
export function readIfThere(path: string): string | undefined {
	try {
		return readFileSync(path, "utf8");
	} catch {
		return undefined;
	}
}

/** Names in a directory; none where there is none to read. */
export function namesIn(directory: string): string[] {
	try {
		return readdirSync(directory);
	} catch {
		return [];
	}
}

/** Whether the kernel would run the file: it says no for those on a `noexec` mount, too. */
export function isExecutable(path: string): boolean {
	try {
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}
