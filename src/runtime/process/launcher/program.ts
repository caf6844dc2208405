/** Where the launcher is on this machine. */
import { accessSync, chmodSync, constants, copyFileSync, renameSync } from "node:fs";
import { assetsDirectory } from "../machine/assets.ts";

/**
 * The launcher's path, of a file that can be run. Where the package lies on a file system mounted `noexec`, or was
 * unpacked without its mode, a copy in `directory` is used.
 * @throws Error where there is none for this machine's architecture, or it may not be run
 */
export function findLauncher(directory: string): string {
	const shipped = `${assetsDirectory("launcher")}/launcher-${process.arch}`;
	if (mayRun(shipped)) return shipped;
	const copy = `${directory}/launcher`;
	copyFileSync(shipped, `${copy}.new`);
	chmodSync(`${copy}.new`, 0o755);
	renameSync(`${copy}.new`, copy);
	if (mayRun(copy)) return copy;
	throw new Error(`neither ${shipped} nor ${copy} may be run: their file systems are mounted noexec`);
}

/** The kernel says no for files on a `noexec` mount, too. */
function mayRun(path: string): boolean {
	try {
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}
