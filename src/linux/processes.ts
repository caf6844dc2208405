/** Processes of this PID namespace, according to /proc. Without /proc, the results are empty. */

import { readlinkSync } from "node:fs";
import type { Clock } from "../core/time/clock.ts";
import { isCode } from "./descriptors.ts";
import { namesIn, readIfThere } from "./if-there.ts";

/** A process, identified by its PID and its start time, because PIDs are reused. */
export interface ProcessId {
	pid: number;
	/** Clock ticks since boot; as text, for comparison only. */
	startTime: string;
}

/** Undefined if there is no such process, or if it is a zombie. */
export function identify(pid: number): ProcessId | undefined {
	const fields = statFields(pid);
	const startTime = fields?.[19];
	return startTime === undefined || hasEnded(fields?.[0]) ? undefined : { pid, startTime };
}

/** Whether the process is running. Another process with the same PID does not count. */
export function isAlive(process: ProcessId): boolean {
	return identify(process.pid)?.startTime === process.startTime;
}

/** Whether a process with this PID is running. A zombie does not count. */
export function isRunning(pid: number): boolean {
	return identify(pid) !== undefined;
}

/** Whether a terminated process is still in the process table, until its parent (perhaps a slow init) reaps it. */
export function isZombie(pid: number): boolean {
	return hasEnded(statFields(pid)?.[0]);
}

function hasEnded(state: string | undefined): boolean {
	return state === "Z" || state === "X";
}

/**
 * Sends a signal if it is still the same process.
 * @returns false if the process has ended
 */
export function signal(target: ProcessId, name: NodeJS.Signals): boolean {
	if (!isAlive(target)) return false;
	try {
		return process.kill(target.pid, name);
	} catch {
		return false;
	}
}

const longestEndMs = 10_000;

/**
 * Kills processes and waits until they have ended. The kernel does not report this, hence the short waits.
 * @throws Error if some are still running after ten seconds, or may not be killed
 */
export async function killAll(targets: readonly ProcessId[], clock: Clock): Promise<void> {
	for (const target of targets.filter(isAlive)) {
		try {
			process.kill(target.pid, "SIGKILL");
		} catch (error) {
			if (!isCode(error, "ESRCH")) throw error;
		}
	}
	const left = await waitForEnd(targets, clock);
	if (left.length > 0) throw new Error(`processes do not end: ${left.map(({ pid }) => pid).join(", ")}`);
}

/** Kills a process and waits until it has ended, for up to ten seconds. */
export async function killAndWait(target: ProcessId, clock: Clock): Promise<void> {
	signal(target, "SIGKILL");
	await waitForEnd([target], clock);
}

/** @returns the processes that are still running after ten seconds */
async function waitForEnd(targets: readonly ProcessId[], clock: Clock): Promise<readonly ProcessId[]> {
	let left = targets.filter(isAlive);
	for (let waitedMs = 0; left.length > 0 && waitedMs < longestEndMs; waitedMs += 2) {
		await clock.sleep(2);
		left = left.filter(isAlive);
	}
	return left;
}

/** Kills the children of a process, but not their children. */
export function killChildren(parent: number): void {
	for (const child of childrenOf(parent)) signal(child, "SIGKILL");
}

/** The children of a process; empty if it has ended. */
export function childrenOf(pid: number): ProcessId[] {
	const children = readProc(`${pid}/task/${pid}/children`)?.split(" ") ?? [];
	return children.filter((child) => child.trim() !== "").flatMap((child) => identify(Number(child)) ?? []);
}

/** Every process of this PID namespace. */
export function allPids(): number[] {
	return namesIn("/proc")
		.filter((name) => /^\d+$/.test(name))
		.map(Number);
}

/** The environment of a process as `NAME=value`; empty if it has just ended or belongs to another user. */
export function environmentOf(pid: number): readonly string[] {
	return readProc(`${pid}/environ`)?.split("\0") ?? [];
}

/** The namespace of a process, as an ID for comparison. */
export function namespaceOf(pid: number | "self", type: "mnt" | "pid" | "net"): string | undefined {
	try {
		return readlinkSync(`/proc/${pid}/ns/${type}`);
	} catch {
		return undefined;
	}
}

/**
 * CPU time, including that of ended children, and private memory: shared memory, such as program files, is not counted.
 */
export function usage(pid: number): { cpuNanoseconds: number; memoryBytes: number } | undefined {
	const fields = statFields(pid);
	if (fields === undefined) return undefined;
	// utime, stime, cutime, cstime in ticks of 10 ms.
	const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
	// Anonymous resident memory, in pages of 4 KiB.
	const [, resident = 0, shared = 0] = readProc(`${pid}/statm`)?.split(" ").map(Number) ?? [];
	return { cpuNanoseconds: ticks * 10_000_000, memoryBytes: (resident - shared) * 4096 };
}

/** The fields of /proc/PID/stat from the third on, the state. */
function statFields(pid: number): string[] | undefined {
	const stat = readProc(`${pid}/stat`);
	// The program's name is in parentheses and may contain any characters, so count from the end.
	return stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** Undefined if it is not readable, or the process has just ended. */
export function readProc(path: string): string | undefined {
	return readIfThere(`/proc/${path}`);
}
