/** Holders among the processes of the machine, found by the marker in their environment, whoever started them. */
import { readdirSync, readFileSync } from "node:fs";
import type { Clock } from "../../core/clock.ts";

/** One process, told from a later one with the same number by its start time. */
export interface ProcessId {
	pid: number;
	/** Clock ticks since boot; as text, for comparison only. */
	startTime: string;
}

export interface MarkedProcess extends ProcessId {
	/** The part of the marker behind the `#`. */
	role: string;
	environment: ReadonlyMap<string, string>;
	/** PID 1 of its own PID namespace, as against the process outside that waits for it. */
	isInit: boolean;
}

export const marker = "COX_HOLDER";

/** All processes that carry `COX_HOLDER=<owner>#…`. */
export function markedProcesses(owner: string): MarkedProcess[] {
	const found: MarkedProcess[] = [];
	for (const name of readdirSync("/proc")) {
		if (!/^\d+$/.test(name)) continue;
		const environment = readEnvironment(name);
		const value = environment?.get(marker);
		if (environment === undefined || value === undefined || isInContainer(name)) continue;
		const at = value.lastIndexOf("#");
		if (value.slice(0, at) !== owner) continue;
		const startTime = startTimeOf(Number(name));
		if (startTime === undefined) continue;
		const isInit = /^NSpid:.*\t1$/m.test(readProc(`${name}/status`) ?? "");
		found.push({ pid: Number(name), startTime, role: value.slice(at + 1), environment, isInit });
	}
	return found;
}

/** The directories of all clusters that have holders on this machine. */
export function clusterDirectories(): string[] {
	const owners = new Set<string>();
	for (const name of readdirSync("/proc")) {
		const value = /^\d+$/.test(name) ? readEnvironment(name)?.get(marker) : undefined;
		if (value !== undefined && !isInContainer(name)) owners.add(value.slice(0, value.lastIndexOf("#")));
	}
	return [...owners].sort();
}

/** A node's processes are one process namespace below us, those of containers two: what they call themselves says nothing. */
function isInContainer(pid: string): boolean {
	return isDeeperThanNode(readProc(`${pid}/status`) ?? "");
}

/** @param status of proc(5) @returns whether the process is further down than a node's own. Pure. */
export function isDeeperThanNode(status: string): boolean {
	const numbers = /^NSpid:\t(.*)$/m.exec(status)?.[1]?.split("\t") ?? [];
	return numbers.length > 2;
}

/** Undefined when there is no such process, or only the remains of one that has ended. */
export function startTimeOf(pid: number): string | undefined {
	const stat = readProc(`${pid}/stat`);
	// The name of the program stands in parentheses and may contain anything, so count from behind it.
	const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
	return fields === undefined || fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

/** Sends KILL to each, if it is still the same process, and waits till all are gone (at most ten seconds). */
export async function killAll(processes: readonly ProcessId[], clock: Clock): Promise<void> {
	let left = processes.filter(isAlive);
	for (const { pid } of left) kill(pid);
	for (let waitedMs = 0; left.length > 0; waitedMs += 2) {
		if (waitedMs > 10_000) throw new Error(`processes do not end: ${left.map(({ pid }) => pid).join(", ")}`);
		await clock.sleep(2);
		left = left.filter(isAlive);
	}
}

export function isAlive(process: ProcessId): boolean {
	return startTimeOf(process.pid) === process.startTime;
}

function kill(pid: number): void {
	try {
		process.kill(pid, "SIGKILL");
	} catch {
		// Ended by itself in between.
	}
}

function readEnvironment(pid: string): Map<string, string> | undefined {
	const text = readProc(`${pid}/environ`);
	if (text?.includes(marker) !== true) return undefined;
	const environment = new Map<string, string>();
	for (const entry of text.split("\0")) {
		const at = entry.indexOf("=");
		if (at > 0) environment.set(entry.slice(0, at), entry.slice(at + 1));
	}
	return environment;
}

/** Undefined for what is not ours to read, and for processes that end while we look. */
function readProc(path: string): string | undefined {
	try {
		return readFileSync(`/proc/${path}`, "utf8");
	} catch {
		return undefined;
	}
}
