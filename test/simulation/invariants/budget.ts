import { selectorFrom } from "../../../src/core/selector.ts";
import type { Pod, PodDisruptionBudget } from "../../../src/kinds/generated/types.ts";
import { type Invariant, isFinished, isReady } from "./invariant.ts";

/** A budget's controller may be down for as long, and the API then goes by what it said last. */
const longestLagMs = 30_000;

/** No eviction leaves fewer healthy pods than a budget asks for. */
export function disruptionBudgets(): Invariant {
	/** UID of a pod → the pod, and when it was last seen healthy. */
	const seenHealthy = new Map<string, { pod: Pod; atMs: number }>();
	const evicted = new Set<string>();
	return {
		observe(current, old, truth) {
			if (current?.kind !== "Pod") return;
			// It is of that kind, as it was before.
			const [pod, before] = [current as Pod, old as Pod | undefined];
			const { uid, namespace, labels } = pod.metadata;
			const nowMs = truth.clock.monotonicMs();
			const isHealthy = (each: Pod | undefined) =>
				each !== undefined && isReady(each) && each.metadata.deletionTimestamp === undefined;
			if (isHealthy(before) || isHealthy(pod)) seenHealthy.set(uid, { pod, atMs: nowMs });
			// An eviction whose deletion failed is taken back after a while.
			if (!isEvicted(pod)) evicted.delete(uid);
			if (!isEvicted(pod) || evicted.has(uid)) return;
			evicted.add(uid);
			if (!isHealthy(before) || isFinished(pod)) return;
			for (const object of truth.of("PodDisruptionBudget")) {
				// It is of that kind.
				const budget = object as PodDisruptionBudget;
				const selector = selectorFrom(budget.spec?.selector);
				if (budget.metadata.namespace !== namespace || !selector.matches(labels)) continue;
				let healthy = 0;
				for (const [otherUid, { pod: other, atMs }] of seenHealthy) {
					if (!selector.matches(other.metadata.labels) || evicted.has(otherUid)) continue;
					// It is of that kind. What went wrong a moment ago the budget's controller need not know yet.
					const latest = truth.byUid.get(otherUid) as Pod | undefined;
					if (isHealthy(latest) || nowMs - atMs < longestLagMs) healthy++;
				}
				const wanted = budget.status?.desiredHealthy ?? 0;
				if (healthy >= wanted) continue;
				const { name } = pod.metadata;
				truth.violation(`${name} was evicted though ${budget.metadata.name} wants ${wanted} and has ${healthy} left`);
			}
		},
	};
}

function isEvicted({ status }: Pod): boolean {
	return (
		status?.conditions?.some(({ reason, status: value }) => reason === "EvictionByEvictionAPI" && value === "True") ??
		false
	);
}
