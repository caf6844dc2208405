/** The state of a Job's pods before any action. */

import type { Job, Pod } from "../../kinds/generated/types.ts";
import { isActive, isReady } from "../../kinds/pod/pod-lifecycle.ts";
import { meaningOf } from "./failure-policy.ts";
import { IndexSet } from "./indexes.ts";
import {
	countIn,
	hasFailed,
	ignoredFailuresAnnotation,
	indexFailuresAnnotation,
	indexOf,
	isLeaving,
	isTracked,
} from "./pods.ts";
import type { ResolvedSpec } from "./resolved-spec.ts";

export interface PodCounts {
	/** Neither terminated nor being deleted, with or without finalizer. */
	active: readonly Pod[];
	ready: number;
	leaving: readonly Pod[];
	/** With the finalizer: those that are not finally counted yet, in order of their index. */
	tracked: readonly Pod[];
	/** Pods in `status.uncountedTerminatedPods` that still have the finalizer. */
	uncounted: { succeeded: ReadonlySet<string>; failed: ReadonlySet<string> };
	/** The counters including those pods whose finalizer was removed since. */
	settled: { succeeded: number; failed: number };
	/** All successes and failures so far, whether the status includes them or not. */
	succeeded: number;
	failed: number;
	/** Indexed Jobs: those in the status, and with later successes. */
	countedIndexes: IndexSet;
	succeededIndexes: IndexSet;
	/** Only with a backoff limit per index. */
	failedIndexes: IndexSet | undefined;
	/**
	 * With such a limit: the last failed pod of an index that waits for a new one. It keeps the finalizer until then,
	 * because it records the number of failures.
	 */
	lastFailed: ReadonlyMap<number, Pod>;
}

export function countPods(job: Job, resolved: ResolvedSpec, pods: readonly Pod[]): PodCounts {
	const tracked = pods.filter(isTracked);
	if (resolved.indexed) tracked.sort((left, right) => (indexOf(left) ?? -1) - (indexOf(right) ?? -1));
	const active = pods.filter(isActive);
	const { uncounted, settled } = settle(job, tracked);
	const isCounted = (pod: Pod) => uncounted.succeeded.has(pod.metadata.uid) || uncounted.failed.has(pod.metadata.uid);
	const newSucceeded = tracked.filter((pod) => pod.status?.phase === "Succeeded" && !isCounted(pod));
	// An invalid index does not count.
	const isMeant = (pod: Pod) => !resolved.indexed || indexOf(pod, resolved.completions) !== undefined;
	const newFailed = tracked.filter((pod) => hasFailed(pod, resolved) && isMeant(pod) && !isCounted(pod));
	const failed =
		settled.failed + uncounted.failed.size + newFailed.filter((pod) => meaningOf(pod, resolved).counts).length;
	const podCounts = {
		active,
		ready: active.filter(isReady).length,
		leaving: pods.filter(isLeaving),
		tracked,
		uncounted,
		settled,
		failed,
	};
	if (!resolved.indexed) {
		const succeeded = settled.succeeded + uncounted.succeeded.size + newSucceeded.length;
		const none = IndexSet.empty;
		return {
			countedIndexes: none,
			succeededIndexes: none,
			failedIndexes: undefined,
			lastFailed: new Map(),
			...podCounts,
			succeeded,
		};
	}
	const { completions = 0 } = resolved;
	const countedIndexes = IndexSet.parse(job.status?.completedIndexes, completions);
	const succeededIndexes = countedIndexes.union(indexesOf(newSucceeded, completions));
	const failedIndexes = resolved.perIndexLimit === undefined ? undefined : failedIndexesOf(job, resolved, tracked);
	return {
		succeeded: succeededIndexes.size,
		...podCounts,
		countedIndexes,
		succeededIndexes,
		failedIndexes,
		lastFailed:
			failedIndexes === undefined
				? new Map()
				: lastFailedPods(
						tracked,
						resolved,
						succeededIndexes.union(failedIndexes).union(indexesOf(active, completions)),
					),
	};
}

/** A pod whose UID is in the status is counted as soon as its finalizer is removed, and only then. */
function settle({ status }: Job, tracked: readonly Pod[]): Pick<PodCounts, "uncounted" | "settled"> {
	const held = new Set(tracked.map(({ metadata }) => metadata.uid));
	const { succeeded = [], failed = [] } = status?.uncountedTerminatedPods ?? {};
	const left = {
		succeeded: new Set(succeeded.filter((uid) => held.has(uid))),
		failed: new Set(failed.filter((uid) => held.has(uid))),
	};
	return {
		uncounted: left,
		settled: {
			succeeded: (status?.succeeded ?? 0) + succeeded.length - left.succeeded.size,
			failed: (status?.failed ?? 0) + failed.length - left.failed.size,
		},
	};
}

export function indexesOf(pods: readonly Pod[], completions: number): IndexSet {
	return IndexSet.of(pods.map((pod) => indexOf(pod, completions)).filter((index) => index !== undefined));
}

/** Failures of a pod's index before this pod, including ignored ones. */
function failuresBefore(pod: Pod): number {
	return countIn(pod, indexFailuresAnnotation) + countIn(pod, ignoredFailuresAnnotation);
}

function failedIndexesOf(job: Job, resolved: ResolvedSpec, tracked: readonly Pod[]): IndexSet {
	const { completions = 0, perIndexLimit = 0 } = resolved;
	const beyond = tracked.filter((pod) => {
		if (!hasFailed(pod, resolved)) return false;
		const { counts, action } = meaningOf(pod, resolved);
		return action === "FailIndex" || (counts && countIn(pod, indexFailuresAnnotation) >= perIndexLimit);
	});
	return IndexSet.parse(job.status?.failedIndexes, completions).union(indexesOf(beyond, completions));
}

function lastFailedPods(tracked: readonly Pod[], resolved: ResolvedSpec, done: IndexSet): Map<number, Pod> {
	const last = new Map<number, Pod>();
	for (const pod of tracked) {
		const index = indexOf(pod, resolved.completions);
		if (index === undefined || !hasFailed(pod, resolved) || done.has(index)) continue;
		const other = last.get(index);
		if (other === undefined || failuresBefore(other) <= failuresBefore(pod)) last.set(index, pod);
	}
	return last;
}
