/** Where the launcher is on this machine. */

import { chmodSync, copyFileSync, renameSync } from "node:fs";
import { isExecutable } from "../../../linux/if-there.ts";
import { assetsDirectory } from "../machine/assets.ts";

/**
 * The launcher's path, of a file that can be run. Where the package lies on a file system mounted `noexec`, or was
 * unpacked without its mode, a copy in `directory` is used.
 * @throws Error where there is none for this machine's architecture, or it may not be run
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
