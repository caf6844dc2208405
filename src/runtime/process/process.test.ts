import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { systemClock } from "../../core/clock.ts";
import { runtimeContract } from "../contract.ts";
import { allPids } from "./processes.ts";
import { createProcessRuntime } from "./runtime.ts";

const clock = systemClock();

/** Whatever still names the directory: processes by their arguments, mounts by their place. */
function leftovers(directory: string): string[] {
	const read = (path: string) => {
		try {
			return readFileSync(path, "utf8");
		} catch {
			return "";
		}
	};
	const commands = allPids().map((pid) => read(`/proc/${pid}/cmdline`).replaceAll("\0", " "));
	const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
	return [...commands, ...mounts].filter((text) => text.includes(directory));
}

runtimeContract("process", {
	...(process.getuid?.() === 0 ? {} : { noPrograms: "needs root here; see rootless.test.ts" }),
	async open() {
		const directory = mkdtempSync(`${tmpdir()}/cox-runtime-`);
		mkdirSync(`${directory}/logs`);
		const open = () =>
			createProcessRuntime({
				clock,
				directory: `${directory}/state`,
				scratchDirectory: `${directory}/scratch`,
				hidden: [directory],
			});
		let runtime = await open();
		return {
			runtime,
			async reopen() {
				await runtime.close();
				runtime = await open();
				return runtime;
			},
			pass: () => clock.sleep(10),
			directory: `${directory}/logs`,
			async dispose() {
				for (const sandbox of await runtime.listSandboxes()) await runtime.removeSandbox(sandbox.id);
				await runtime.close();
				const left = leftovers(directory);
				rmSync(directory, { recursive: true, force: true });
				if (left.length > 0) throw new Error(`left behind: ${left.join("; ")}`);
			},
		};
	},
});
