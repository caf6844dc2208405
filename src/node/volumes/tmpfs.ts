/** Mounts of memory for `emptyDir: { medium: Memory }`, by the system's own commands. */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { type HeldDirectory, holdDirectory } from "../../core/no-links.ts";

/**
 * @param directory the one at the path: mounted is on this one, whatever the path leads to by then
 * @param sizeBytes undefined: as the kernel has it
 */
export async function mountTmpfs(path: string, directory: HeldDirectory, sizeBytes: number | undefined): Promise<void> {
	if (await isMounted(path)) return;
	const options = ["mode=0777", ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`])];
	await run("mount", ["-c", "-t", "tmpfs", "-o", options.join(","), "tmpfs", "."], directory.outsidePath);
}

/** Takes the memory away from the path. Nothing to do where none is mounted. @throws Error for a link on the way */
export async function unmount(path: string): Promise<void> {
	if (!(await isMounted(path))) return;
	// By the open directory, which is what is mounted: the path may lead elsewhere by the time that it is looked up.
	const directory = holdDirectory(path);
	try {
		await run("umount", ["-c", "-l", "."], directory.outsidePath);
	} finally {
		directory.close();
	}
}

/** After which a command is killed. */
const longestMs = 60_000;

/** As the mount table of this process says; blanks in paths stand there as `\040`. */
async function isMounted(path: string): Promise<boolean> {
	const table = await readFile("/proc/self/mounts", "utf8");
	const escaped = path.replaceAll(" ", "\\040");
	return table.split("\n").some((line) => line.split(" ")[1] === escaped);
}

function run(command: string, args: readonly string[], cwd = "/"): Promise<void> {
	return new Promise((resolve, reject) => {
		const bound = { timeout: longestMs, killSignal: "SIGKILL" } as const;
		const child = spawn(command, args, { cwd, stdio: ["ignore", "ignore", "pipe"], ...bound });
		let problem = "";
		child.stderr.on("data", (chunk: Buffer) => {
			problem = (problem + chunk.toString()).slice(-1000);
		});
		child.on("error", reject);
		child.on("close", (code, signal) => {
			if (code === 0) resolve();
			else reject(new Error(`${command}: ${problem.trim() || signal || `exit status ${code}`}`));
		});
	});
}
