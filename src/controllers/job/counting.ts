/**
 * Counting each pod's end exactly once, however often the controller is interrupted (KEP-2307). A pod holds a
 * finalizer. First its uid goes into `status.uncountedTerminatedPods` (of an indexed job its index into
 * `completedIndexes`), then it loses the finalizer, then the uid is exchanged for one in the counter. At every point in
 * between the next step can be told from what is stored.
 */
import type { Pod } from "../../kinds/generated/types.ts";
import type { Census } from "./census.ts";
import { meaningOf } from "./failure-policy.ts";
import { IndexSet } from "./indexes.ts";
import { hasFailed, indexOf } from "./pods.ts";
import type { Terms } from "./terms.ts";
import type { Verdict } from "./verdict.ts";

export interface Counting {
	uncounted: { succeeded: string[]; failed: string[] };
	/** For indexed jobs, what the status shall say. */
	completedIndexes: IndexSet;
	/** Pods that may lose their finalizer once the status is stored. */
	release: Pod[];
	/** Pods remain that the next plan has to count. */
	unfinished: boolean;
}

/** Bounds the size of the status, and how long one plan may take. */
const mostUncounted = 500;

export function count(
	terms: Terms,
	census: Census,
	verdict: Verdict | undefined,
	more: { jobDeleted: boolean; removed: ReadonlySet<Pod> },
): Counting {
	const succeeded = [...census.uncounted.succeeded];
	const failed = [...census.uncounted.failed];
	const indexes: number[] = [];
	const release: Pod[] = [];
	let unfinished = false;
	for (const pod of census.tracked) {
		if (more.removed.has(pod)) continue;
		const { uid } = pod.metadata;
		const podFailed = hasFailed(pod, terms);
		if (!mayRelease(pod, podFailed, terms, census, verdict !== undefined || more.jobDeleted)) continue;
		if (indexes.length + succeeded.length + failed.length >= mostUncounted) {
			unfinished = true;
			break;
		}
		release.push(pod);
		const index = indexOf(pod, terms.completions);
		if (pod.status?.phase === "Succeeded" && !census.uncounted.failed.has(uid)) {
			if (!terms.indexed) {
				if (!census.uncounted.succeeded.has(uid)) succeeded.push(uid);
			} else if (index !== undefined && !census.countedIndexes.has(index)) indexes.push(index);
		} else if (podFailed || verdict?.type === "FailureTarget") {
			if (census.uncounted.failed.has(uid) || census.uncounted.succeeded.has(uid)) continue;
			if (terms.indexed && index === undefined) continue;
			if (meaningOf(pod, terms).counts) failed.push(uid);
		}
	}
	const completedIndexes = census.countedIndexes.union(IndexSet.of(indexes));
	return { uncounted: { succeeded, failed }, completedIndexes, release, unfinished };
}

/**
 * When the job ends, every pod; before that, those that have ended, but for the last failed one of an index that is
 * still to be replaced.
 */
function mayRelease(pod: Pod, podFailed: boolean, terms: Terms, census: Census, ending: boolean): boolean {
	if (ending || pod.status?.phase === "Succeeded") return true;
	if (!podFailed) return false;
	const index = terms.perIndexLimit === undefined ? undefined : indexOf(pod, terms.completions);
	return index === undefined || census.lastFailed.get(index) !== pod;
}
