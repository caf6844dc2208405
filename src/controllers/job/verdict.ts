/** Whether a job is to end, and why. */

import { parseTimestamp } from "../../core/clock.ts";
import { conditionOf, isTrue } from "../../core/conditions.ts";
import type { Job, Pod } from "../../kinds/generated/types.ts";
import { type Census, indexesOf } from "./census.ts";
import { meaningOf } from "./failure-policy.ts";
import { IndexSet } from "./indexes.ts";
import { hasFailed, restartsOf } from "./pods.ts";
import { successMessage } from "./success-policy.ts";
import type { Terms } from "./terms.ts";

/**
 * The interim condition under which a job is wound up: it stands in the status before pods lose their finalizers. The
 * final one, `Failed` or `Complete` with the same reason and message, comes when the last pod has ended (KEP-3939).
 */
export interface Verdict {
	type: "FailureTarget" | "SuccessCriteriaMet";
	reason: string;
	message: string;
}

/** A verdict once given stands. Undefined while the job goes on. */
export function verdictOf(
	job: Job,
	terms: Terms,
	census: Census,
	pods: readonly Pod[],
	nowMs: number,
): Verdict | undefined {
	for (const type of ["SuccessCriteriaMet", "FailureTarget"] as const) {
		if (!isTrue(job, type)) continue;
		const { reason = "", message = "" } = conditionOf(job, type) ?? {};
		return { type, reason, message };
	}
	return failure(job, terms, census, pods, nowMs) ?? success(terms, census);
}

function failure(job: Job, terms: Terms, census: Census, pods: readonly Pod[], nowMs: number): Verdict | undefined {
	const because = (reason: string, message: string): Verdict => ({ type: "FailureTarget", reason, message });
	if (terms.failureRules !== undefined) {
		for (const pod of pods) {
			const message = hasFailed(pod, terms) ? meaningOf(pod, terms).message : undefined;
			if (message !== undefined) return because("PodFailurePolicy", message);
		}
	}
	if (census.failed > terms.backoffLimit || restartedTooOften(terms, pods))
		return because("BackoffLimitExceeded", "Job has reached the specified backoff limit");
	const deadlineMs = deadlineAtMs(job, terms);
	if (deadlineMs !== undefined && deadlineMs <= nowMs)
		return because("DeadlineExceeded", "Job was active longer than specified deadline");
	const failedCount = census.failedIndexes?.size ?? 0;
	if (terms.maxFailedIndexes !== undefined && failedCount > terms.maxFailedIndexes)
		return because("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
	if (failedCount > 0 && !terms.perNode?.follows && endedCount(terms, census) >= (terms.completions ?? 0))
		return because("FailedIndexes", "Job has failed indexes");
	return undefined;
}

/** Indexes that have come to their end, or whose node is none of the Job's (any more). */
export function endedCount({ perNode, completions = 0 }: Terms, census: Census): number {
	let ended = census.succeededIndexes;
	if (census.failedIndexes !== undefined) ended = ended.union(census.failedIndexes);
	if (perNode === undefined) return ended.size;
	// One that still runs is waited for, wherever it runs.
	const running = indexesOf(census.active, completions);
	return ended.union(IndexSet.of([...perNode.unfit.members()].filter((index) => !running.has(index)))).size;
}

function success(terms: Terms, census: Census): Verdict | undefined {
	const message = successMessage(terms, census.succeededIndexes);
	return message === undefined ? undefined : { type: "SuccessCriteriaMet", reason: "SuccessPolicy", message };
}

export const completionsReached: Verdict = {
	type: "SuccessCriteriaMet",
	reason: "CompletionsReached",
	message: "Reached expected number of succeeded pods",
};

/** Containers that the agent restarts in place count toward the limit by their restarts. */
function restartedTooOften(terms: Terms, pods: readonly Pod[]): boolean {
	if (!terms.restartsOnFailure) return false;
	const restarts = pods.reduce((sum, pod) => sum + restartsOf(pod), 0);
	return terms.backoffLimit === 0 ? restarts > 0 : restarts >= terms.backoffLimit;
}

/** Epoch milliseconds at which the job has been active for too long; undefined when that never comes. */
export function deadlineAtMs({ status }: Job, terms: Terms): number | undefined {
	if (terms.deadlineMs === undefined || terms.suspended || status?.startTime === undefined) return undefined;
	return parseTimestamp(status.startTime) + terms.deadlineMs;
}
