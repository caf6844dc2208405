/** The pods of a run. Pure. */

import { timestamp } from "../../core/time/clock.ts";
import { completionIndexAnnotation } from "../../kinds/batch/job-selector.ts";
import type { ContainerStateTerminated, ContainerStatus, Pod } from "../../kinds/generated/types.ts";
import type { RunAttempt, RunContainer, RunPod } from "../../kinds/history/types.ts";
import { isFinalPhase } from "../../kinds/pod/pod-lifecycle.ts";
import type { LogFact } from "../records/facts.ts";

/** The number of starts of one container that a run includes: the newest. */
const mostAttempts = 20;
/** The number of pods that a run includes. */
export const mostPods = 50;
/** The number of starts of containers of all pods together: a pod may have hundreds of containers. */
const mostStarts = 3000;
/** The limit for the termination message of a container or pod; a container may write four times as much. */
const longestMessage = 1024;

/**
 * @param before what the run says of the pod so far
 * @param gone whether no pod with that UID exists any more
 */
export function runPodOf(pod: Pod, before: RunPod | undefined, gone: boolean): RunPod {
	const { metadata, spec, status } = pod;
	// A pod does not restart: a status that says so is outdated.
	const phase = isFinalPhase(before?.phase) ? (before?.phase ?? "") : (status?.phase ?? "Pending");
	const index = metadata.annotations?.[completionIndexAnnotation];
	const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
	const init = new Set((spec.initContainers ?? []).map(({ name }) => name));
	const containers = [...(spec.initContainers ?? []), ...spec.containers].map(({ name, image }) => {
		const found = statuses.find((one) => one.name === name);
		const known = before?.containers?.find((one) => one.name === name);
		return containerOf({ name, image, init: init.has(name) }, found, known);
	});
	const ended = isFinalPhase(phase);
	const endTime = ended || gone ? (lastEnd(containers) ?? before?.endTime) : undefined;
	const reason = status?.reason;
	const message = status?.message;
	const node = spec.nodeName || before?.node;
	return {
		name: metadata.name,
		uid: metadata.uid,
		...(node && { node }),
		phase: gone && !ended ? "Unknown" : phase,
		...(reason && { reason }),
		...(message && { message: message.slice(0, longestMessage) }),
		...(index !== undefined && { index: Number(index) }),
		...(status?.startTime && { startTime: status.startTime }),
		...(endTime && { endTime }),
		containers,
	};
}

function containerOf(
	spec: { name: string; image?: string | undefined; init: boolean },
	status: ContainerStatus | undefined,
	before: RunContainer | undefined,
): RunContainer {
	const attempts = new Map((before?.attempts ?? []).map((attempt) => [attempt.number, attempt]));
	if (status !== undefined) takeStatus(attempts, status);
	const image = status?.image || spec.image || before?.image;
	const imageID = status?.imageID || before?.imageID;
	const list = inOrder(attempts);
	return {
		name: spec.name,
		...(image && { image }),
		...(imageID && { imageID }),
		...(spec.init && { init: true }),
		...(list.length > 0 && { attempts: list }),
	};
}

/** A status contains the newest start and the previous one. */
function takeStatus(attempts: Map<number, RunAttempt>, status: ContainerStatus): void {
	const { state, lastState, restartCount, containerID } = status;
	const add = (number: number, found: Omit<RunAttempt, "number">) => {
		if (number >= 0) attempts.set(number, Object.assign({}, attempts.get(number), { number }, found));
	};
	const last = lastState?.terminated;
	if (last !== undefined) add(last.containerID === containerID ? restartCount : restartCount - 1, endOf(last));
	if (state?.terminated !== undefined) add(restartCount, endOf(state.terminated));
	else if (state?.running !== undefined) add(restartCount, startOf(state.running.startedAt));
}

function startOf(time: string | undefined) {
	return time === undefined ? {} : { startTime: text(time) };
}

function endOf({ exitCode, reason, message, startedAt, finishedAt }: ContainerStateTerminated) {
	return {
		exitCode,
		...(reason && { reason }),
		...(message && { message: message.slice(0, longestMessage) }),
		...(startedAt && { startTime: text(startedAt) }),
		...(finishedAt && { endTime: text(finishedAt) }),
	};
}

/** A node's report of a container's termination, which the pod's status may never have shown. */
export function withEnded(pod: RunPod, { ended, log }: LogFact): RunPod {
	const containers = pod.containers ?? [];
	const before = containers.find(({ name }) => name === ended.container) ?? { name: ended.container };
	const attempts = new Map((before.attempts ?? []).map((attempt) => [attempt.number, attempt]));
	const { attempt: number, startedAt, finishedAt, exitCode, reason } = ended;
	const brought = {
		number,
		...(startedAt && { startTime: startedAt }),
		...(finishedAt && { endTime: finishedAt }),
		...(exitCode !== undefined && { exitCode }),
		...(reason && { reason }),
	};
	attempts.set(number, Object.assign(brought, attempts.get(number), { log: logOf(log) }));
	const container: RunContainer = Object.assign({}, before, { attempts: inOrder(attempts) });
	const others = containers.some(({ name }) => name === container.name)
		? containers.map((one) => (one.name === container.name ? container : one))
		: [...containers, container];
	return Object.assign({}, pod, { containers: others });
}

function logOf({ bytes, storedBytes, omittedBytes }: { bytes: number; storedBytes: number; omittedBytes: number }) {
	return { bytes, storedBytes, ...(omittedBytes > 0 && { omittedBytes }) };
}

function inOrder(attempts: ReadonlyMap<number, RunAttempt>): RunAttempt[] {
	return [...attempts.values()].sort((a, b) => a.number - b.number).slice(-mostAttempts);
}

function lastEnd(containers: readonly RunContainer[]): string | undefined {
	let last: string | undefined;
	for (const { attempts = [] } of containers)
		for (const { endTime } of attempts) if (endTime !== undefined && endTime > (last ?? "")) last = endTime;
	return last;
}

/** Oldest first. If there are too many pods, those that failed, those that are running, and the newest are kept. */
export function boundedPods(pods: readonly RunPod[]): { pods: RunPod[]; leftOut: number } {
	const sorted = [...pods].sort(
		(a, b) => compareText(a.startTime ?? "9", b.startTime ?? "9") || compareText(a.name, b.name),
	);
	let starts = sorted.reduce((sum, pod) => sum + startsOf(pod), 0);
	if (sorted.length <= mostPods && starts <= mostStarts) return { pods: sorted, leftOut: 0 };
	const dropped = new Set<RunPod>();
	// The last one is kept.
	for (const pod of dispensableFirst(sorted).slice(0, -1)) {
		if (sorted.length - dropped.size <= mostPods && starts <= mostStarts) break;
		dropped.add(pod);
		starts -= startsOf(pod);
	}
	return { pods: sorted.filter((pod) => !dropped.has(pod)), leftOut: dropped.size };
}

/**
 * The order in which pods are dropped.
 * @param sorted oldest first
 */
export function dispensableFirst(sorted: readonly RunPod[]): RunPod[] {
	const succeeded = sorted.filter(({ phase }) => phase === "Succeeded");
	return [...succeeded, ...sorted.filter(({ phase }) => phase !== "Succeeded")];
}

function startsOf({ containers = [] }: RunPod): number {
	return containers.reduce((sum, { attempts }) => sum + Math.max(attempts?.length ?? 0, 1), 0);
}

function compareText(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}

const wholeSeconds = "2026-01-01T00:00:00Z".length;

/** In whole seconds, like the rest of the run. */
function text(time: string): string {
	if (time.length === wholeSeconds) return time;
	const epochMs = Date.parse(time);
	return Number.isNaN(epochMs) ? time : timestamp(epochMs);
}
