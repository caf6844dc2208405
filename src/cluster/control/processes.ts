import { readdirSync, readFileSync } from "node:fs";
import type { Clock } from "../../core/clock.ts";
import { isOwnPlace, placeOf } from "../../network/machine/processes.ts";

/** Marks the processes of a cluster in their environment, so that they are found whatever happened to the rest. */
export const serverMark = "COX_SERVER";
export const supervisorMark = "COX_SUPERVISOR";
export const agentMark = "COX_AGENT";

/** Ids of this user's processes whose environment has `name=value`. Linux only; empty elsewhere. */
export function processesMarked(name: string, value: string): number[] {
	const wanted = `${name}=${value}`;
	const found: number[] = [];
	for (const entry of readDirectory("/proc")) {
		const pid = Number(entry);
		if (!Number.isInteger(pid) || pid === process.pid) continue;
		if (!environment(pid).includes(wanted) || !isAlive(pid)) continue;
		// What a container has in its environment says nothing.
		if (isOwnPlace(placeOf(pid, process.getuid?.()), name, value)) found.push(pid);
	}
	return found;
}

function readDirectory(path: string): string[] {
	try {
		return readdirSync(path);
	} catch {
		return [];
	}
}

function environment(pid: number): string[] {
	try {
		return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
	} catch {
		// Ended just now, or another user's.
		return [];
	}
}

/** Whether a process runs: a zombie does not. */
export function isAlive(pid: number): boolean {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
		const state = stat.slice(stat.lastIndexOf(")") + 2).charAt(0);
		return state !== "Z" && state !== "X";
	} catch {
		return false;
	}
}

/** Ids of a process's children; empty when it has ended. */
export function childrenOf(pid: number): number[] {
	try {
		return readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ").filter(Boolean).map(Number);
	} catch {
		return [];
	}
}

/**
 * Kills the processes and resolves when they are gone. The kernel needs a moment, and says nothing when it is done:
 * hence the short waits.
 */
export async function killAll(pids: readonly number[], clock: Clock): Promise<void> {
	for (const pid of pids) {
		try {
			process.kill(pid, "SIGKILL");
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
		}
	}
	const pollMs = 5;
	const limitMs = 10_000;
	for (let waitedMs = 0; pids.some(isAlive); waitedMs += pollMs) {
		if (waitedMs > limitMs) throw new Error(`processes ${pids.filter(isAlive).join(", ")} do not end`);
		await clock.sleep(pollMs);
	}
}
