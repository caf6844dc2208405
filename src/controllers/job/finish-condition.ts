/** Whether a Job finishes, and why. */

import { conditionOf, isTrue } from "../../core/conditions.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import type { Job, Pod } from "../../kinds/generated/types.ts";
import { meaningOf } from "./failure-policy.ts";
import { IndexSet } from "./indexes.ts";
import { indexesOf, type PodCounts } from "./pod-counts.ts";
import { hasFailed, restartsOf } from "./pods.ts";
import type { ResolvedSpec } from "./resolved-spec.ts";
import { successMessage } from "./success-policy.ts";

/**
 * The interim condition of a finishing Job: it is in the status before pods lose their finalizers. The final one,
 * `Failed` or `Complete` with the same reason and message, is set when the last pod has terminated (KEP-3939).
 */
export interface FinishCondition {
	type: "FailureTarget" | "SuccessCriteriaMet";
	reason: string;
	message: string;
}

/** Immutable once set. Undefined while the Job is active. */
export function finishConditionOf(
	job: Job,
	resolved: ResolvedSpec,
	podCounts: PodCounts,
	pods: readonly Pod[],
	nowMs: number,
): FinishCondition | undefined {
	for (const type of ["SuccessCriteriaMet", "FailureTarget"] as const) {
		if (!isTrue(job, type)) continue;
		const { reason = "", message = "" } = conditionOf(job, type) ?? {};
		return { type, reason, message };
	}
	return failure(job, resolved, podCounts, pods, nowMs) ?? success(resolved, podCounts);
}

function failure(
	job: Job,
	resolved: ResolvedSpec,
	podCounts: PodCounts,
	pods: readonly Pod[],
	nowMs: number,
): FinishCondition | undefined {
	const because = (reason: string, message: string): FinishCondition => ({ type: "FailureTarget", reason, message });
	if (resolved.failureRules !== undefined) {
		for (const pod of pods) {
			const message = hasFailed(pod, resolved) ? meaningOf(pod, resolved).message : undefined;
			if (message !== undefined) return because("PodFailurePolicy", message);
		}
	}
	if (podCounts.failed > resolved.backoffLimit || restartedTooOften(resolved, pods))
		return because("BackoffLimitExceeded", "Job has reached the specified backoff limit");
	const deadlineMs = deadlineAtMs(job, resolved);
	if (deadlineMs !== undefined && deadlineMs <= nowMs)
		return because("DeadlineExceeded", "Job was active longer than specified deadline");
	const failedCount = podCounts.failedIndexes?.size ?? 0;
	if (resolved.maxFailedIndexes !== undefined && failedCount > resolved.maxFailedIndexes)
		return because("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
	if (failedCount > 0 && !resolved.perNode?.follows && endedCount(resolved, podCounts) >= (resolved.completions ?? 0))
		return because("FailedIndexes", "Job has failed indexes");
	return undefined;
}

/** Indexes that have ended, or whose node does not belong to the Job (any more). */
export function endedCount({ perNode, completions = 0 }: ResolvedSpec, podCounts: PodCounts): number {
	let ended = podCounts.succeededIndexes;
	if (podCounts.failedIndexes !== undefined) ended = ended.union(podCounts.failedIndexes);
	if (perNode === undefined) return ended.size;
	// The Job waits for a running pod, on any node.
	const running = indexesOf(podCounts.active, completions);
	return ended.union(IndexSet.of([...perNode.unfit.members()].filter((index) => !running.has(index)))).size;
}

function success(resolved: ResolvedSpec, podCounts: PodCounts): FinishCondition | undefined {
	const message = successMessage(resolved, podCounts.succeededIndexes);
	return message === undefined ? undefined : { type: "SuccessCriteriaMet", reason: "SuccessPolicy", message };
}

export const completionsReached: FinishCondition = {
	type: "SuccessCriteriaMet",
	reason: "CompletionsReached",
	message: "Reached expected number of succeeded pods",
};

/** Restarts of containers in place count toward the limit. */
function restartedTooOften(resolved: ResolvedSpec, pods: readonly Pod[]): boolean {
	if (!resolved.restartsOnFailure) return false;
	const restarts = pods.reduce((sum, pod) => sum + restartsOf(pod), 0);
	return resolved.backoffLimit === 0 ? restarts > 0 : restarts >= resolved.backoffLimit;
}

/** Epoch milliseconds at which the Job exceeds its deadline; undefined if it has none. */
export function deadlineAtMs({ status }: Job, resolved: ResolvedSpec): number | undefined {
	if (resolved.deadlineMs === undefined || resolved.suspended || status?.startTime === undefined) return undefined;
	return parseTimestamp(status.startTime) + resolved.deadlineMs;
}
