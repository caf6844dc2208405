/** Properties of pods that the Job controller uses. */

import { parseTimestamp } from "../../core/time/clock.ts";
import type { ContainerStatus, Pod } from "../../kinds/generated/types.ts";
import { isFinished, readyCondition } from "../../kinds/pod/pod-lifecycle.ts";
import type { ResolvedSpec } from "./resolved-spec.ts";

/** Keeps a pod until it has been counted. */
export const trackingFinalizer = "batch.kubernetes.io/job-tracking";
export const indexAnnotation = "batch.kubernetes.io/job-completion-index";
/** Failures of the pod's index before this pod. */
export const indexFailuresAnnotation = "batch.kubernetes.io/job-index-failure-count";
/** Earlier failures of the pod's index that a podFailurePolicy ignored. */
export const ignoredFailuresAnnotation = "batch.kubernetes.io/job-index-ignored-failure-count";

export function isTracked(pod: Pod): boolean {
	return pod.metadata.finalizers?.includes(trackingFinalizer) === true;
}

/** Being deleted, and not terminated yet. */
export function isLeaving(pod: Pod): boolean {
	return pod.metadata.deletionTimestamp !== undefined && !isFinished(pod);
}

/** Deleted pods may never reach the Failed phase; unless the Job waits for that, a deletion counts as a failure. */
export function hasFailed(pod: Pod, resolved: Pick<ResolvedSpec, "waitsForTermination">): boolean {
	if (pod.status?.phase === "Failed") return true;
	if (resolved.waitsForTermination) return false;
	return pod.metadata.deletionTimestamp !== undefined && pod.status?.phase !== "Succeeded";
}

/** Undefined if the pod has no valid index below `completions`. */
export function indexOf(pod: Pod, completions = Number.POSITIVE_INFINITY): number | undefined {
	const text = pod.metadata.annotations?.[indexAnnotation];
	if (text === undefined || !/^\d+$/.test(text)) return undefined;
	const index = Number(text);
	return index < completions ? index : undefined;
}

export function countIn(pod: Pod, annotation: string): number {
	const text = pod.metadata.annotations?.[annotation];
	return text !== undefined && /^\d+$/.test(text) ? Number(text) : 0;
}

/** When the pod terminated, as precisely as known, in epoch milliseconds. */
export function finishedAtMs(pod: Pod): number {
	const statuses = pod.status?.containerStatuses ?? [];
	const ends = statuses.map(({ state }) => state?.terminated?.finishedAt);
	if (ends.length > 0 && ends.every((end) => end !== undefined)) {
		return Math.max(...ends.map((end) => parseTimestamp(end)));
	}
	const ready = readyCondition(pod);
	if (ready?.status === "False" && ready.lastTransitionTime !== undefined)
		return parseTimestamp(ready.lastTransitionTime);
	const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp } = pod.metadata;
	if (deletionTimestamp !== undefined) return parseTimestamp(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
	return parseTimestamp(creationTimestamp);
}

/** Restarts of all containers of a pod that has not terminated. */
export function restartsOf(pod: Pod): number {
	const count = (statuses: readonly ContainerStatus[] = []) =>
		statuses.reduce((sum, { restartCount }) => sum + (restartCount ?? 0), 0);
	if (pod.status?.phase !== "Running" && pod.status?.phase !== "Pending") return 0;
	return count(pod.status.initContainerStatuses) + count(pod.status.containerStatuses);
}
