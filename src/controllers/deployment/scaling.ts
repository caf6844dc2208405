/**
 * Proportional scaling: distributes a new number of replicas over all ReplicaSets during a rollout (Kubernetes
 * documentation, "Proportional scaling").
 */
import type { ReplicaSet } from "../../kinds/generated/types.ts";
import {
	byAge,
	desiredReplicasAnnotation,
	isRollingUpdate,
	maxReplicasAnnotation,
	maxSurge,
	numberAnnotation,
	replicasOf,
	sum,
} from "./bounds.ts";
import type { Working } from "./working.ts";

/** Whether a set was last scaled for a different number of replicas than the Deployment's. */
export function isScaled(working: Working): boolean {
	const wanted = replicasOf(working.deployment);
	return working.sets.some((set) => {
		const desired = numberAnnotation(set, desiredReplicasAnnotation);
		return replicasOf(set) > 0 && desired !== undefined && desired !== wanted;
	});
}

export function scaleInProportion(
	working: Working,
	newSet: ReplicaSet | undefined,
	oldSets: readonly ReplicaSet[],
): void {
	const wanted = replicasOf(working.deployment);
	const only = activeOrLatest(newSet, oldSets);
	if (only !== undefined) {
		if (replicasOf(only) !== wanted) working.scale(only, wanted);
		return;
	}
	const oldActive = oldSets.filter((set) => replicasOf(set) > 0);
	if (newSet !== undefined && isSaturated(newSet, wanted)) {
		for (const set of [...oldActive].sort(byAge)) working.scale(set, 0);
		return;
	}
	if (isRollingUpdate(working.deployment))
		distribute(
			working,
			working.sets.filter((set) => replicasOf(set) > 0),
		);
}

/**
 * The only set to scale: the only one with replicas, or, if none has any, the newest. Undefined if there are several.
 */
function activeOrLatest(newSet: ReplicaSet | undefined, oldSets: readonly ReplicaSet[]): ReplicaSet | undefined {
	const active = [...oldSets, ...(newSet === undefined ? [] : [newSet])].filter((set) => replicasOf(set) > 0);
	if (active.length === 0) return newSet ?? [...oldSets].sort(byAge).at(-1);
	return active.length === 1 ? active[0] : undefined;
}

function isSaturated(set: ReplicaSet, wanted: number): boolean {
	return (
		replicasOf(set) === wanted &&
		numberAnnotation(set, desiredReplicasAnnotation) === wanted &&
		(set.status?.availableReplicas ?? 0) === wanted
	);
}

/**
 * Distributes the difference over the sets in proportion to their size. The remainder goes to the first: the largest,
 * and of equal ones the newer when growing.
 */
function distribute(working: Working, sets: readonly ReplicaSet[]): void {
	const { deployment } = working;
	const wanted = replicasOf(deployment);
	const allowed = wanted > 0 ? wanted + maxSurge(deployment) : 0;
	const toAdd = allowed - sum(sets, replicasOf);
	const newerFirst = toAdd > 0 ? -1 : 1;
	const ordered = [...sets].sort(
		(left, right) => replicasOf(right) - replicasOf(left) || newerFirst * byAge(left, right),
	);
	let added = 0;
	const sizes = ordered.map((set) => {
		const share = toAdd === 0 ? 0 : clamp(fraction(working, set), toAdd - added);
		added += share;
		return replicasOf(set) + share;
	});
	ordered.forEach((set, index) => {
		const size = (sizes[index] ?? 0) + (index === 0 ? toAdd - added : 0);
		working.scale(set, Math.max(0, size));
	});
}

/** Limited to what is left, with the same sign. */
function clamp(share: number, left: number): number {
	if (left === 0) return 0;
	return left > 0 ? Math.min(share, left) : Math.max(share, left);
}

/** The change of a set's size that keeps its share of the total. */
function fraction({ deployment }: Working, set: ReplicaSet): number {
	const size = replicasOf(set);
	if (replicasOf(deployment) === 0) return -size;
	const before = numberAnnotation(set, maxReplicasAnnotation) || (deployment.status?.replicas ?? 0);
	if (before === 0) return 0;
	return Math.round((size * (replicasOf(deployment) + maxSurge(deployment))) / before) - size;
}
