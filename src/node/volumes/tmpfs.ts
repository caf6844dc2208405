/** Mounts for `emptyDir: { medium: Memory }`, with the system's commands. */
import { readFile } from "node:fs/promises";
import { run } from "../../linux/command.ts";
import { type HeldDirectory, holdDirectory } from "../../linux/no-links.ts";

/**
 * Anybody can make files in it, and only their owners delete them: the kernel's default, which upstream keeps.
 * @param directory the open directory that is mounted on, even if the path now leads elsewhere
 * @param sizeBytes undefined: the kernel's default
 */
export async function mountTmpfs(path: string, directory: HeldDirectory, sizeBytes: number | undefined): Promise<void> {
	if (await isMounted(path)) return;
	const options = ["mode=1777", ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`])];
	const command = ["mount", "-c", "-t", "tmpfs", "-o", options.join(","), "tmpfs", "."] as const;
	await run(command, { directory: directory.outsidePath });
}

/**
 * Unmounts the path. Does nothing if it is not mounted.
 * @throws Error if the path contains a link
 */
export async function unmount(path: string): Promise<void> {
	if (!(await isMounted(path))) return;
	// Uses the open directory, which is mounted: the path may lead elsewhere when it is looked up.
	const directory = holdDirectory(path);
	try {
		await run(["umount", "-c", "-l", "."], { directory: directory.outsidePath });
	} finally {
		directory.close();
	}
}

/** From the mount table of this process, in which blanks are `\040`. */
async function isMounted(path: string): Promise<boolean> {
	const table = await readFile("/proc/self/mounts", "utf8");
	const escaped = path.replaceAll(" ", "\\040");
	return table.split("\n").some((line) => line.split(" ")[1] === escaped);
}
