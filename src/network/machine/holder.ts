/** Starts holders: the processes that are PID 1 of a node (or own the switch) and keep its namespaces alive. */
import type { ChildProcessByStdio } from "node:child_process";
import type { Readable } from "node:stream";
import { CommandError, toolEnvironment } from "../../linux/command.ts";
import { spawnApart } from "../../linux/inherited.ts";
import { identify, type ProcessId } from "../../linux/processes.ts";
import { holderEnvironment } from "./marked-processes.ts";

/** Reaps orphans forever: a shell's `wait` collects every child, including those that it did not start. */
const reapForEver = "exec </dev/null >/dev/null 2>&1\nwhile :; do sleep infinity & wait $!; done";

export interface HolderOptions {
	owner: string;
	role: string;
	/** The command that enters the namespaces. */
	enter: readonly [string, ...string[]];
	script: string;
	environment?: Readonly<Record<string, string>>;
}

/**
 * Runs `script` in new namespaces and leaves a reaping PID 1 behind, detached from this process. Resolves when the
 * script has succeeded.
 * @throws CommandError with the script's output
 */
export function startHolder(options: HolderOptions): Promise<ProcessId> {
	const [program, ...args] = options.enter;
	// The PID is read from the outer /proc, before the script may mount another.
	const script = `set -e\nread pid rest </proc/self/stat\n${options.script}\necho "$pid"\nset +e\n${reapForEver}`;
	const command = [...args, "sh", "-c", script];
	return new Promise((resolve, reject) => {
		const env = { ...toolEnvironment, ...options.environment, ...holderEnvironment(options.owner, options.role) };
		// With the requested streams.
		const child = spawnApart(program, command, {
			detached: true,
			cwd: "/",
			stdio: ["ignore", "pipe", "pipe"],
			env,
		}) as ChildProcessByStdio<null, Readable, Readable>;
		let stdout = "";
		let stderr = "";
		child.stdout.on("data", (chunk) => {
			stdout += chunk;
			if (!stdout.endsWith("\n")) return;
			const pid = Number(stdout);
			const holder = identify(pid);
			child.stdout.destroy();
			child.stderr.destroy();
			child.unref();
			if (holder === undefined) reject(new CommandError(options.enter, 1, `holder ${options.role} ended at once`));
			else resolve(holder);
		});
		child.stderr.on("data", (chunk) => {
			stderr += chunk;
		});
		child.on("error", (error) => reject(new CommandError(options.enter, 127, error.message)));
		child.on("exit", (code) => reject(new CommandError(options.enter, code ?? 128, stderr)));
	});
}
