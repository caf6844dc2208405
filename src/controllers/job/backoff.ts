/**
 * The delay that failed pods cause for their replacements: 10 s, doubled with every failure after the last success, up
 * to 10 min (Kubernetes documentation, "Jobs", "Pod backoff failure policy"). Computed from the pods alone, so that it
 * survives a restart of the controller.
 */
import { parseTimestamp } from "../../core/time/clock.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { countIn, finishedAtMs, ignoredFailuresAnnotation, indexFailuresAnnotation } from "./pods.ts";

const firstDelayMs = 10_000;
const longestDelayMs = 600_000;

/** Epoch milliseconds before which no pod is created; undefined if there is no delay. */
export function backoffUntilMs(pods: readonly Pod[]): number | undefined {
	let lastSuccessMs = Number.NEGATIVE_INFINITY;
	for (const pod of pods) {
		if (pod.status?.phase === "Succeeded") lastSuccessMs = Math.max(lastSuccessMs, finishedAtMs(pod));
	}
	let failures = 0;
	let lastFailureMs = 0;
	for (const pod of pods) {
		if (pod.status?.phase !== "Failed" || wasTakenAway(pod)) continue;
		const atMs = finishedAtMs(pod);
		if (atMs <= lastSuccessMs) continue;
		failures++;
		lastFailureMs = Math.max(lastFailureMs, atMs);
	}
	return failures === 0 ? undefined : lastFailureMs + delayMs(failures);
}

/** The same for one index with a limit of its own, from the pod that failed last. */
export function indexBackoffUntilMs(lastFailed: Pod | undefined): number | undefined {
	if (lastFailed === undefined) return undefined;
	const before = countIn(lastFailed, indexFailuresAnnotation) + countIn(lastFailed, ignoredFailuresAnnotation);
	return finishedAtMs(lastFailed) + delayMs(before + 1);
}

function delayMs(failures: number): number {
	return Math.min(firstDelayMs * 2 ** (failures - 1), longestDelayMs);
}

/**
 * Deleted by a client instead of failing by itself: there is no reason to wait, and after the deletion nothing records
 * it.
 */
function wasTakenAway(pod: Pod): boolean {
	const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata;
	if (deletionTimestamp === undefined) return false;
	return finishedAtMs(pod) >= parseTimestamp(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
}
