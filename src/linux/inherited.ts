/** Prevents this process's descriptors from being inherited by long-running child processes. */

import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { namesIn } from "./if-there.ts";

const closeOnExec = 0o2000000;

/**
 * Descriptors above the standard ones that a child would inherit: those that this process itself inherited, and those
 * that libraries open without close-on-exec, like LMDB. Node sets it for its own and for inherited ones, but stops at
 * the first gap.
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
				// The descriptor was used to read the directory.
				return false;
			}
		});
}

/**
 * Like `spawn`, but replaces all descriptors that the child would inherit by /dev/null, unless `stdio` sets them. A
 * child that is Node finds no gap among its descriptors and closes them for its own children.
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
