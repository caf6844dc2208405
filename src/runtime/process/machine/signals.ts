/** Signals for the first processes of containers. */
import { constants } from "node:os";
import type { Clock } from "../../../core/time/clock.ts";
import { type ProcessId, readProc, signal } from "../../../linux/processes.ts";

/**
 * Sends a signal to the first process of a PID namespace as soon as it handles it. The kernel drops signals without a
 * handler, so a program would not receive a stop signal during its start. Sends nothing after `aborted`.
 * @param isYoung the process has just started, and its first handler may not be its own: Node.js briefly has one that
 * resets itself and raises the signal again, which the kernel then drops. A handler that is installed later gets the
 * signal, too.
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
		// Blocked signals are kept for programs that read them, but other programs block all signals for a moment while
		// they start.
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

/** Whether a process has a handler for a signal, or has blocked it. Also true if this cannot be determined. */
function handling(pid: number, name: NodeJS.Signals): "yes" | "no" | "later" {
	const number = constants.signals[name];
	if (number === undefined) return "yes";
	const status = readProc(`${pid}/status`);
	if (status === undefined) return "yes";
	const has = (field: string) => {
		const mask = new RegExp(`^${field}:\\s*([0-9a-f]+)`, "m").exec(status)?.[1] ?? "0";
		return ((BigInt(`0x${mask}`) >> BigInt(number - 1)) & 1n) === 1n;
	};
	return has("SigCgt") ? "yes" : has("SigBlk") ? "later" : "no";
}

export function signalName(name: string | undefined): NodeJS.Signals {
	const full = name === undefined || name === "" ? "SIGTERM" : name.startsWith("SIG") ? name : `SIG${name}`;
	// The kernel checks it: `process.kill` throws for an unknown name, which counts as not delivered.
	return full as NodeJS.Signals;
}
