/** One step of a rolling update: more new pods within the surge, then fewer old ones if enough are available. */
import type { ReplicaSet } from "../../kinds/generated/types.ts";
import { byAge, maxUnavailable, newSetReplicas, replicasOf, sum } from "./bounds.ts";
import type { Working } from "./working.ts";

/**
 * Scales the new set up or down.
 * @returns whether it changed
 */
export function scaleNewSet(working: Working, newSet: ReplicaSet): boolean {
	const wanted = replicasOf(working.deployment);
	const current = replicasOf(newSet);
	if (current === wanted) return false;
	if (current > wanted) return working.scale(newSet, wanted);
	const replicas = newSetReplicas(working.deployment, working.sets, current);
	return replicas === current ? false : working.scale(newSet, replicas);
}

/**
 * Scales old sets down: first pods that are not available anyway, except for the number that the new set lacks, then
 * available ones down to the required minimum.
 * @returns whether any changed
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
 * Pods of the set that are certainly available: a set that was just scaled down still reports pods that are about to be
 * deleted. Upstream counts them, and goes below the minimum if the set's status is late.
 */
function availableOf(set: ReplicaSet): number {
	return Math.min(set.status?.availableReplicas ?? 0, replicasOf(set));
}

/** Removes up to `most` replicas, from the oldest set first, from each at most `share`. */
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
