/** Finds the launcher on this machine. */

import { chmodSync, copyFileSync, renameSync } from "node:fs";
import { isExecutable } from "../../../linux/if-there.ts";
import { assetsDirectory } from "../machine/assets.ts";

/**
 * The launcher's path, of an executable file. If the package is on a file system mounted `noexec`, or was unpacked
 * without modes, a copy in `directory` is used.
 * @throws Error if there is none for this machine's architecture, or it may not be executed
 */
export function findLauncher(directory: string): string {
	const shipped = `${assetsDirectory("launcher")}/launcher-${process.arch}`;
	if (isExecutable(shipped)) return shipped;
	const copy = `${directory}/launcher`;
	copyFileSync(shipped, `${copy}.new`);
	chmodSync(`${copy}.new`, 0o755);
	renameSync(`${copy}.new`, copy);
	if (isExecutable(copy)) return copy;
	throw new Error(`neither ${shipped} nor ${copy} may be run: their file systems are mounted noexec`);
}
