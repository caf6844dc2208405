/** The end of a container: its stop signal, killing its processes, and the report. */
import type { Clock } from "../../../core/time/clock.ts";
import { allPids, identify, killChildren, namespaceOf, type ProcessId, signal } from "../../../linux/processes.ts";
import type { Container } from "../../runtime.ts";
import { signalName, signalWhenHandled } from "../machine/signals.ts";
import type { ContainerRecord } from "./container-record.ts";

export type ContainerEnd = Pick<Container, "exitCode" | "reason" | "message" | "finishedAtMs">;

/** By this age programs have installed their signal handlers, even on slow machines. */
const youthMs = 10_000;

/**
 * Sends the stop signal to the first process. As PID 1 of a PID namespace, it only receives signals that it handles.
 * @param aborted stops waiting for that
 */
export function sendStopSignal(
	{ container, ownPid, stopSignal }: ContainerRecord,
	init: ProcessId,
	clock: Clock,
	aborted: AbortSignal,
): void {
	const name = signalName(stopSignal);
	if (!ownPid) {
		signal(init, name);
		return;
	}
	const isYoung = clock.now() - (container.startedAtMs ?? 0) < youthMs;
	void signalWhenHandled(init, name, { clock, aborted, isYoung });
}

/** Kills the first process, and all others if they do not end with it. */
export function killProcesses({ init, ownPid, mountNamespace, shim }: ContainerRecord): void {
	if (init !== undefined) signal(init, "SIGKILL");
	else if (shim !== undefined) killChildren(shim.pid);
	if (ownPid || mountNamespace === undefined) return;
	for (const pid of allPids()) {
		const other = identify(pid);
		if (other !== undefined && namespaceOf(pid, "mnt") === mountNamespace) signal(other, "SIGKILL");
	}
}

/**
 * The end of a container whose logs are complete.
 * @param exit written by its supervisor; undefined: that was killed
 * @param oomKilled whether its control group ran out of memory
 * @param nowMs the end of a container whose supervisor wrote none
 */
export function containerEnd(
	{ failure, container }: ContainerRecord,
	exit: { exitCode: number; atMs: number } | undefined,
	oomKilled: () => boolean,
	nowMs: number,
): ContainerEnd {
	const finishedAtMs = Math.max(exit?.atMs ?? nowMs, container.startedAtMs ?? container.createdAtMs);
	if (failure !== undefined) return { exitCode: 128, reason: "StartError", message: failure, finishedAtMs };
	const exitCode = exit?.exitCode ?? 137;
	const reason = exitCode === 137 && oomKilled() ? "OOMKilled" : exitCode === 0 ? "Completed" : "Error";
	if (exit !== undefined) return { exitCode, reason, finishedAtMs };
	const message = "the container's supervisor was killed; its exit code is not known";
	return { exitCode, reason, message, finishedAtMs };
}
