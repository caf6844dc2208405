/**
 * Counts each terminated pod exactly once, however often the controller is interrupted (KEP-2307). A pod has a
 * finalizer. First its UID is added to `status.uncountedTerminatedPods` (for an indexed Job, its index to
 * `completedIndexes`), then the finalizer is removed, then the UID is moved to the counter. At every point in between,
 * the next step can be derived from what is stored.
 */
import type { Pod } from "../../kinds/generated/types.ts";
import { meaningOf } from "./failure-policy.ts";
import type { FinishCondition } from "./finish-condition.ts";
import { IndexSet } from "./indexes.ts";
import type { PodCounts } from "./pod-counts.ts";
import { hasFailed, indexOf } from "./pods.ts";
import type { ResolvedSpec } from "./resolved-spec.ts";

export interface Counting {
	uncounted: { succeeded: string[]; failed: string[] };
	/** For indexed Jobs, the new value of the status. */
	completedIndexes: IndexSet;
	/** Pods whose finalizer may be removed once the status is stored. */
	release: Pod[];
	/** Pods remain for the next plan to count. */
	unfinished: boolean;
}

/** Limits the size of the status, and the duration of one plan. */
const mostUncounted = 500;

export function count(
	resolved: ResolvedSpec,
	podCounts: PodCounts,
	finish: FinishCondition | undefined,
	more: { jobDeleted: boolean; removed: ReadonlySet<Pod> },
): Counting {
	const succeeded = [...podCounts.uncounted.succeeded];
	const failed = [...podCounts.uncounted.failed];
	const indexes: number[] = [];
	const release: Pod[] = [];
	let unfinished = false;
	for (const pod of podCounts.tracked) {
		if (more.removed.has(pod)) continue;
		const { uid } = pod.metadata;
		const podFailed = hasFailed(pod, resolved);
		if (!mayRelease(pod, podFailed, resolved, podCounts, finish !== undefined || more.jobDeleted)) continue;
		if (indexes.length + succeeded.length + failed.length >= mostUncounted) {
			unfinished = true;
			break;
		}
		release.push(pod);
		const index = indexOf(pod, resolved.completions);
		if (pod.status?.phase === "Succeeded" && !podCounts.uncounted.failed.has(uid)) {
			if (!resolved.indexed) {
				if (!podCounts.uncounted.succeeded.has(uid)) succeeded.push(uid);
			} else if (index !== undefined && !podCounts.countedIndexes.has(index)) indexes.push(index);
		} else if (podFailed || finish?.type === "FailureTarget") {
			if (podCounts.uncounted.failed.has(uid) || podCounts.uncounted.succeeded.has(uid)) continue;
			if (resolved.indexed && index === undefined) continue;
			if (meaningOf(pod, resolved).counts) failed.push(uid);
		}
	}
	const completedIndexes = podCounts.countedIndexes.union(IndexSet.of(indexes));
	return { uncounted: { succeeded, failed }, completedIndexes, release, unfinished };
}

/**
 * When the Job ends, every pod; before that, those that have terminated, except the last failed one of an index that is
 * still to be replaced.
 */
function mayRelease(
	pod: Pod,
	podFailed: boolean,
	resolved: ResolvedSpec,
	podCounts: PodCounts,
	ending: boolean,
): boolean {
	if (ending || pod.status?.phase === "Succeeded") return true;
	if (!podFailed) return false;
	const index = resolved.perIndexLimit === undefined ? undefined : indexOf(pod, resolved.completions);
	return index === undefined || podCounts.lastFailed.get(index) !== pod;
}
