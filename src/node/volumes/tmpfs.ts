/** Mounts of memory for `emptyDir: { medium: Memory }`, by the system's own commands. */
import { readFile } from "node:fs/promises";
import { run } from "../../linux/command.ts";
import { type HeldDirectory, holdDirectory } from "../../linux/no-links.ts";

/**
 * @param directory the one at the path: mounted is on this one, whatever the path leads to by then
 * @param sizeBytes undefined: as the kernel has it
 */
export async function mountTmpfs(path: string, directory: HeldDirectory, sizeBytes: number | undefined): Promise<void> {
	if (await isMounted(path)) return;
	const options = ["mode=0777", ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`])];
	const command = ["mount", "-c", "-t", "tmpfs", "-o", options.join(","), "tmpfs", "."] as const;
	await run(command, { directory: directory.outsidePath });
}

/** Takes the memory away from the path. Nothing to do where none is mounted. @throws Error for a link on the way */
export async function unmount(path: string): Promise<void> {
	if (!(await isMounted(path))) return;
	// By the open directory, which is what is mounted: the path may lead elsewhere by the time that it is looked up.
	const directory = holdDirectory(path);
	try {
		await run(["umount", "-c", "-l", "."], { directory: directory.outsidePath });
	} finally {
		directory.close();
	}
}

/** As the mount table of this process says; blanks in paths stand there as `\040`. */
async function isMounted(path: string): Promise<boolean> {
	const table = await readFile("/proc/self/mounts", "utf8");
	const escaped = path.replaceAll(" ", "\\040");
	return table.split("\n").some((line) => line.split(" ")[1] === escaped);
}
