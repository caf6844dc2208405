/** Processes of this PID namespace, by what /proc says of them. Where there is no /proc, there is nothing to say. */

import { readlinkSync } from "node:fs";
import type { Clock } from "../core/clock.ts";
import { isCode } from "./descriptors.ts";
import { namesIn, readIfThere } from "./if-there.ts";

/** A process, identified by its PID and its start time, because PIDs are reused. */
export interface ProcessId {
	pid: number;
	/** Clock ticks since boot; as text, for comparison only. */
	startTime: string;
}

/** Undefined when there is no such process, or only the remains of one that has ended. */
export function identify(pid: number): ProcessId | undefined {
	const fields = statFields(pid);
	const startTime = fields?.[19];
	return startTime === undefined || hasEnded(fields?.[0]) ? undefined : { pid, startTime };
}

/** Whether the process runs; another one with its number is not it. */
export function isAlive(process: ProcessId): boolean {
	return identify(process.pid)?.startTime === process.startTime;
}

/** Whether a process with this number runs: a zombie does not. */
export function isRunning(pid: number): boolean {
	return identify(pid) !== undefined;
}

/** Whether a terminated process is still in the process table: until its parent, perhaps a slow init, reaps it. */
export function isZombie(pid: number): boolean {
	return hasEnded(statFields(pid)?.[0]);
}

function hasEnded(state: string | undefined): boolean {
	return state === "Z" || state === "X";
}

/** Sends a signal if it is still the same process. False when it is gone. */
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
 * Kills processes and waits till they are gone. The kernel needs a moment, and says nothing when it is done: hence the
 * short waits.
 * @throws Error when some are not gone after ten seconds, or may not be killed
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

/** Kills a process and waits till it is gone, at most ten seconds. */
export async function killAndWait(target: ProcessId, clock: Clock): Promise<void> {
	signal(target, "SIGKILL");
	await waitForEnd([target], clock);
}

/** @returns what is not gone after ten seconds */
async function waitForEnd(targets: readonly ProcessId[], clock: Clock): Promise<readonly ProcessId[]> {
	let left = targets.filter(isAlive);
	for (let waitedMs = 0; left.length > 0 && waitedMs < longestEndMs; waitedMs += 2) {
		await clock.sleep(2);
		left = left.filter(isAlive);
	}
	return left;
}

/** Kills what a process has started, without what those have. */
export function killChildren(parent: number): void {
	for (const child of childrenOf(parent)) signal(child, "SIGKILL");
}

/** What a process has started; nothing when it has ended. */
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

/** What a process was given, `NAME=value` each; nothing when it has ended just now, or is another user's. */
export function environmentOf(pid: number): readonly string[] {
	return readProc(`${pid}/environ`)?.split("\0") ?? [];
}

/** Which namespace of a type a process is in, as a name that can be compared. */
export function namespaceOf(pid: number | "self", type: "mnt" | "pid" | "net"): string | undefined {
	try {
		return readlinkSync(`/proc/${pid}/ns/${type}`);
	} catch {
		return undefined;
	}
}

/**
 * CPU time used, also by children that have ended, and memory of its own: what it shares with others, such as programs,
 * is nobody's.
 */
export function usage(pid: number): { cpuNanoseconds: number; memoryBytes: number } | undefined {
	const fields = statFields(pid);
	if (fields === undefined) return undefined;
	// utime, stime, cutime, cstime in ticks of 10 ms.
	const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
	// Resident, and not of files or shared memory, in pages of 4 KiB.
	const [, resident = 0, shared = 0] = readProc(`${pid}/statm`)?.split(" ").map(Number) ?? [];
	return { cpuNanoseconds: ticks * 10_000_000, memoryBytes: (resident - shared) * 4096 };
}

/** What /proc/PID/stat says from the third field on, the state. */
function statFields(pid: number): string[] | undefined {
	const stat = readProc(`${pid}/stat`);
	// The program's name is in parentheses and may contain any characters, so count from the end.
	return stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** Undefined for what is not ours to read, and for processes that end while we look. */
export function readProc(path: string): string | undefined {
	return readIfThere(`/proc/${path}`);
}
