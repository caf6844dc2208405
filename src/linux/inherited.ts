/** Keeps what this process has open from processes that it starts and that outlive what they were started for. */

import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { namesIn } from "./if-there.ts";

const closeOnExec = 0o2000000;

/**
 * Descriptors above the standard ones that a child would inherit: those that this process itself inherited, and those
 * that libraries open without close-on-exec, as LMDB does. Node marks its own; it marks those it inherited, too, but
 * stops at the first gap.
 */
function inheritableDescriptors(): number[] {
	return namesIn("/proc/self/fd")
		.map(Number)
		.filter((fd) => {
			if (fd < 3) return false;
			try {
				const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "0";
				return (Number.parseInt(flags, 8) & closeOnExec) === 0;
			} catch {
				// It was how the directory was read.
				return false;
			}
		});
}

/**
 * As `spawn`, with all that the child would inherit overwritten: by /dev/null where `stdio` says nothing of it. A child
 * that is Node finds no gap among its descriptors and closes them for its own children.
 */
export function spawnApart(
	program: string,
	args: readonly string[],
	options: SpawnOptions & { stdio: readonly ("ignore" | "inherit" | "ipc" | "pipe" | number)[] },
): ChildProcess {
	const last = Math.max(...inheritableDescriptors(), -1);
	const { stdio } = options;
	if (last < stdio.length) return spawn(program, args, { ...options, stdio: [...stdio] });
	const nothing = openSync("/dev/null", "r+");
	try {
		const rest = Array.from({ length: last + 1 - stdio.length }, () => nothing);
		return spawn(program, args, { ...options, stdio: [...stdio, ...rest] });
	} finally {
		closeSync(nothing);
	}
}
