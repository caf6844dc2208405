/** Reads files and directories that may not exist or be readable, which is not an error. */
import { accessSync, constants, readdirSync, readFileSync } from "node:fs";

/** Contents of a file; undefined if it does not exist or is not readable. */
export function readIfThere(path: string): string | undefined {
	try {
		return readFileSync(path, "utf8");
	} catch {
		return undefined;
	}
}

/** Names in a directory; empty if it does not exist or is not readable. */
export function namesIn(directory: string): string[] {
	try {
		return readdirSync(directory);
	} catch {
		return [];
	}
}

/** Whether the kernel would run the file; false on a `noexec` mount. */
export function isExecutable(path: string): boolean {
	try {
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}
