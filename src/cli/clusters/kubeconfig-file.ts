/** The user's kubeconfig, which other programs change as well. */
import { closeSync, openSync, realpathSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { homeDirectory } from "../../cluster/files/account.ts";
import { messageOf } from "../../core/errors.ts";
import { isCode } from "../../linux/descriptors.ts";
import { readIfThere } from "../../linux/if-there.ts";
import { makeFolder } from "../../linux/make-folder.ts";
import { replaceFile } from "../../linux/replace-file.ts";

/** @throws Error for a user without a home directory */
export function usualKubeconfig(): string {
	const home = homeDirectory();
	if (home === undefined) throw new Error("this user has no home directory: name a file with --kubeconfig");
	return join(home, ".kube/config");
}

/**
 * Changes the text of a kubeconfig, of which no other program writes a part meanwhile: kubectl has the same lock.
 * @throws Error that names the file
 */
export function changeKubeconfig(path: string, change: (text: string) => string): void {
	makeFolder(dirname(path), 0o700);
	const file = realPath(path);
	const lock = `${file}.lock`;
	try {
		closeSync(openSync(lock, "wx", 0o600));
	} catch (error) {
		if (!isCode(error, "EEXIST")) throw error;
		throw new Error(`${file} is being changed by another program; if it is not, delete ${lock}`);
	}
	try {
		replaceFile(file, change(readIfThere(file) ?? ""));
	} catch (error) {
		throw new Error(`${file} is not changed: ${messageOf(error)}`);
	} finally {
		rmSync(lock, { force: true });
	}
}

/** Users link to it, and the link stays. */
function realPath(path: string): string {
	try {
		return realpathSync(path);
	} catch {
		return path;
	}
}
