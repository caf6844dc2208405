/** One step of a rolling update: more new pods where there is room, then fewer old ones where enough are available. */
import type { ReplicaSet } from "../../kinds/generated/types.ts";
import { byAge, maxUnavailable, newSetReplicas, replicasOf, sum } from "./bounds.ts";
import type { Working } from "./working.ts";

/** Scales the new set up or down. True when it changed. */
export function scaleNewSet(working: Working, newSet: ReplicaSet): boolean {
	const wanted = replicasOf(working.deployment);
	const current = replicasOf(newSet);
	if (current === wanted) return false;
	if (current > wanted) return working.scale(newSet, wanted);
	const replicas = newSetReplicas(working.deployment, working.sets, current);
	return replicas === current ? false : working.scale(newSet, replicas);
}

/**
 * Scales old sets down: first pods that are not available anyway, as long as the new set's own missing pods leave room,
 * then available ones down to the least that must be there. True when any changed.
 */
export function scaleOldSets(working: Working, newSet: ReplicaSet, oldSets: readonly ReplicaSet[]): boolean {
	const active = oldSets.filter((set) => replicasOf(set) > 0).sort(byAge);
	if (active.length === 0) return false;
	const leastAvailable = replicasOf(working.deployment) - maxUnavailable(working.deployment);
	const newUnavailable = replicasOf(newSet) - (newSet.status?.availableReplicas ?? 0);
	const most = sum(working.sets, replicasOf) - leastAvailable - newUnavailable;
	if (most <= 0) return false;
	const unhealthy = scaleDown(working, active, most, (set) => replicasOf(set) - (set.status?.availableReplicas ?? 0));
	const available = sum(working.sets, availableOf);
	const healthy = scaleDown(working, active, available - leastAvailable, replicasOf);
	return unhealthy + healthy > 0;
}

/**
 * Pods of the set that can be relied on: a set that was just scaled down still reports pods that are about to go.
 * Upstream counts them, and so goes below the least available number when the set's status is late.
 */
function availableOf(set: ReplicaSet): number {
	return Math.min(set.status?.availableReplicas ?? 0, replicasOf(set));
}

/** Takes up to `most` replicas away, the oldest set's first, from each at most what `share` says. */
function scaleDown(
	working: Working,
	sets: readonly ReplicaSet[],
	most: number,
	share: (set: ReplicaSet) => number,
): number {
	let left = most;
	for (const set of sets) {
		if (left <= 0) break;
		const count = Math.min(left, share(set), replicasOf(set));
		if (count <= 0) continue;
		working.scale(set, replicasOf(set) - count);
		left -= count;
	}
	return Math.max(0, most) - Math.max(0, left);
}
