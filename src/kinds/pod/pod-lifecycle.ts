/** The position of a pod in its lifecycle (Kubernetes documentation, "Pod Lifecycle"). */

import { conditionOf } from "../../core/conditions.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import type { Pod, PodCondition } from "../generated/types.ts";

export function isTerminating(pod: Pod): boolean {
	return pod.metadata.deletionTimestamp !== undefined;
}

/** It has terminated for good: phase Succeeded or Failed. */
export function isFinished({ status }: Pick<Pod, "status">): boolean {
	return isFinalPhase(status?.phase);
}

export function isFinalPhase(phase: string | undefined): phase is "Succeeded" | "Failed" {
	return phase === "Succeeded" || phase === "Failed";
}

/** Neither terminated nor being deleted. */
export function isActive(pod: Pod): boolean {
	return !isFinished(pod) && !isTerminating(pod);
}

export function readyCondition(pod: Pod): PodCondition | undefined {
	return conditionOf(pod, "Ready");
}

export function isReady(pod: Pod): boolean {
	return readyCondition(pod)?.status === "True";
}

/** Epoch milliseconds since which the pod has been ready; undefined if it is not ready, 0 if the time is unknown. */
export function readySinceMs(pod: Pod): number | undefined {
	const condition = readyCondition(pod);
	if (condition?.status !== "True") return undefined;
	return condition.lastTransitionTime === undefined ? 0 : parseTimestamp(condition.lastTransitionTime);
}

/** Epoch milliseconds from which the pod counts as available if it stays ready; undefined if it is not ready. */
function availableFromMs(pod: Pod, minReadySeconds = 0): number | undefined {
	if (minReadySeconds === 0) return isReady(pod) ? 0 : undefined;
	const sinceMs = readySinceMs(pod);
	// A pod that is ready since an unknown time never becomes available, as upstream.
	return sinceMs === undefined || sinceMs === 0 ? undefined : sinceMs + minReadySeconds * 1000;
}

export function isAvailable(pod: Pod, minReadySeconds: number | undefined, nowMs: number): boolean {
	const fromMs = availableFromMs(pod, minReadySeconds);
	return fromMs !== undefined && fromMs <= nowMs;
}

/** Epoch milliseconds at which the next of these pods becomes available without further changes. */
export function nextAvailableMs(pods: Iterable<Pod>, minReadySeconds: number | undefined, nowMs: number) {
	if (minReadySeconds === undefined || minReadySeconds === 0) return undefined;
	let nextMs: number | undefined;
	for (const pod of pods) {
		const fromMs = availableFromMs(pod, minReadySeconds);
		if (fromMs !== undefined && fromMs > nowMs && (nextMs === undefined || fromMs < nextMs)) nextMs = fromMs;
	}
	return nextMs;
}
