import { selectorFrom } from "../../../src/core/selection/selector.ts";
import type { Pod, PodDisruptionBudget } from "../../../src/kinds/generated/types.ts";
import type { Truth } from "../truth.ts";
import { type Invariant, isFinished, isHealthy, longestLagMs } from "./invariant.ts";

/** As in the budget's controller. */
const evictionTimeoutMs = 120_000;

/** No eviction leaves fewer healthy pods than a budget asks for. */
export function disruptionBudgets(): Invariant {
	/**
	 * UID of a pod → the pod, and when (`runningMs`) it was last seen healthy: while the budget's controller is down, its
	 * last word counts.
	 */
	const seenHealthy = new Map<string, { pod: Pod; atMs: number }>();
	/**
	 * UID of a pod that was healthy when it was evicted → when, by the wall clock. Others are evicted without asking the
	 * budget, and go like any that break.
	 */
	const evicted = new Map<string, number>();
	/** An eviction whose deletion failed counts no more after a while: by the budget, or by the pod's own condition. */
	const isLeaving = (uid: string, truth: Truth) => {
		const atMs = evicted.get(uid);
		if (atMs === undefined) return false;
		return !isHealthy(podOf(uid, truth)) || truth.clock.now() < atMs + evictionTimeoutMs;
	};
	return {
		observe(current, old, truth) {
			if (current?.kind !== "Pod") return;
			// It is of that kind, as it was before.
			const [pod, before] = [current as Pod, old as Pod | undefined];
			const { uid, namespace, labels } = pod.metadata;
			const nowMs = truth.runningMs();
			if (isHealthy(before) || isHealthy(pod)) seenHealthy.set(uid, { pod, atMs: nowMs });
			if (!isEvicted(pod)) evicted.delete(uid);
			if (!isEvicted(pod) || before === undefined || isEvicted(before) || !isHealthy(before) || isFinished(pod)) return;
			evicted.set(uid, truth.clock.now());
			for (const object of truth.of("PodDisruptionBudget")) {
				// It is of that kind.
				const budget = object as PodDisruptionBudget;
				const selector = selectorFrom(budget.spec?.selector);
				if (budget.metadata.namespace !== namespace || !selector.matches(labels)) continue;
				let healthy = 0;
				for (const [otherUid, { pod: other, atMs }] of seenHealthy) {
					if (!selector.matches(other.metadata.labels) || isLeaving(otherUid, truth)) continue;
					// What went wrong a moment ago the budget's controller need not know yet.
					if (isHealthy(podOf(otherUid, truth)) || nowMs - atMs < longestLagMs) healthy++;
				}
				const wanted = budget.status?.desiredHealthy ?? 0;
				if (healthy >= wanted) continue;
				const { name } = pod.metadata;
				truth.violation(`${name} was evicted though ${budget.metadata.name} wants ${wanted} and has ${healthy} left`);
			}
		},
	};
}

function podOf(uid: string, truth: Truth): Pod | undefined {
	// Only uids of pods are asked for.
	return truth.byUid.get(uid) as Pod | undefined;
}

function isEvicted({ status }: Pod): boolean {
	return (
		status?.conditions?.some(({ reason, status: value }) => reason === "EvictionByEvictionAPI" && value === "True") ??
		false
	);
}
