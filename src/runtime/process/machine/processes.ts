/** Processes of this PID namespace, by what /proc says of them. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { constants } from "node:os";
import type { Clock } from "../../../core/clock.ts";

/** A process, told from a later one with the same number by its start time. */
export interface ProcessId {
	pid: number;
	/** Clock ticks since boot; as text, for comparison only. */
	startTime: string;
}

/** Undefined when there is no such process, or only the remains of one that has ended. */
export function identify(pid: number): ProcessId | undefined {
	const fields = statFields(pid);
	const startTime = fields?.[19];
	return startTime === undefined || fields?.[0] === "Z" || fields?.[0] === "X" ? undefined : { pid, startTime };
}

export function isAlive(process: ProcessId): boolean {
	return identify(process.pid)?.startTime === process.startTime;
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

/**
 * Sends a signal to the first process of a PID namespace as soon as that handles it: until it has a handler the kernel
 * drops it, so that a program asked to end in the moment of its start would not hear of it. Nothing is sent once
 * `aborted`.
 * @param isYoung it has just started: its first handler may be none of its own. Node.js has one for a moment that
 * resets itself and
 *   raises the signal again, which the kernel then drops. A handler that comes after such a one gets the signal, too.
 */
export async function signalWhenHandled(
	target: ProcessId,
	name: NodeJS.Signals,
	{ clock, aborted, isYoung }: { clock: Clock; aborted: AbortSignal; isYoung: boolean },
): Promise<void> {
	let sent: "no" | "later" | "yes" = "no";
	let waitMs = 5;
	for (let attempt = 0; !aborted.aborted && (sent !== "yes" || attempt < 400); attempt++) {
		const handled = handling(target.pid, name);
		// Blocked signals are kept for programs that fetch them; but others block all for a moment while they start.
		if (handled === "yes" ? sent !== "yes" : handled === "later" && sent === "no") {
			signal(target, name);
			if (handled === "yes" && !isYoung) return;
			waitMs = 3;
			attempt = 0;
			sent = handled;
		} else if (handled === "no" && sent === "yes") sent = "later";
		else waitMs = sent === "yes" ? (attempt < 100 ? 3 : 20) : Math.min(waitMs * 2, isYoung ? 20 : 200);
		await clock.sleep(waitMs, aborted).catch(() => {});
	}
}

/** Whether a process has a handler for a signal, or has blocked it. Yes, too, when that cannot be told. */
function handling(pid: number, name: NodeJS.Signals): "yes" | "no" | "later" {
	const number = constants.signals[name];
	if (number === undefined) return "yes";
	try {
		const status = readFileSync(`/proc/${pid}/status`, "utf8");
		const has = (field: string) => {
			const mask = new RegExp(`^${field}:\\s*([0-9a-f]+)`, "m").exec(status)?.[1] ?? "0";
			return ((BigInt(`0x${mask}`) >> BigInt(number - 1)) & 1n) === 1n;
		};
		return has("SigCgt") ? "yes" : has("SigBlk") ? "later" : "no";
	} catch {
		return "yes";
	}
}

/** Kills a process and waits till it is gone, at most ten seconds. */
export async function killAndWait(target: ProcessId, clock: Clock): Promise<void> {
	signal(target, "SIGKILL");
	for (let waitedMs = 0; isAlive(target) && waitedMs < 10_000; waitedMs += 2) await clock.sleep(2);
}

/** Which namespace of a type a process is in, as a name that can be compared. */
export function namespaceOf(pid: number | "self", type: "mnt" | "pid" | "net"): string | undefined {
	try {
		return readlinkSync(`/proc/${pid}/ns/${type}`);
	} catch {
		return undefined;
	}
}

/** Every process of this PID namespace. */
export function allPids(): number[] {
	return readdirSync("/proc")
		.filter((name) => /^\d+$/.test(name))
		.map(Number);
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
	return { cpuNanoseconds: ticks * 10_000_000, memoryBytes: ownPages(pid) * 4096 };
}

/** Resident, and not of files or shared memory, in pages of 4 KiB. */
function ownPages(pid: number): number {
	try {
		const [, resident = 0, shared = 0] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ").map(Number);
		return resident - shared;
	} catch {
		return 0;
	}
}

function statFields(pid: number): string[] | undefined {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
		// The program's name stands in parentheses and may contain anything, so count from behind it.
		return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
	} catch {
		return undefined;
	}
}

export function signalName(name: string | undefined): NodeJS.Signals {
	const full = name === undefined || name === "" ? "SIGTERM" : name.startsWith("SIG") ? name : `SIG${name}`;
	// Checked by the kernel: an unknown name makes `process.kill` throw, which counts as not delivered.
	return full as NodeJS.Signals;
}

/** Kills what a process has started, without what those have. */
export function killChildren(parent: number): void {
	try {
		const children = readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8").trim().split(" ").filter(Boolean);
		for (const child of children.map(Number).map(identify)) if (child !== undefined) signal(child, "SIGKILL");
	} catch {
		// It has ended.
	}
}
