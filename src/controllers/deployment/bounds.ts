/**
 * Numbers of a Deployment: how many pods there may and must be (Kubernetes documentation, "Deployments", "Rolling
 * Update Deployment").
 */
import type { Deployment, ReplicaSet } from "../../kinds/generated/types.ts";
import { scaled } from "../podcontrol/scaled.ts";

export const desiredReplicasAnnotation = "deployment.kubernetes.io/desired-replicas";
export const maxReplicasAnnotation = "deployment.kubernetes.io/max-replicas";
/** In the API, no limit at all: the largest int32. */
const unlimited = 2 ** 31 - 1;

export function replicasOf(object: { spec?: { replicas?: number } }): number {
	return object.spec?.replicas ?? 1;
}

export function isRollingUpdate(deployment: Deployment): boolean {
	return deployment.spec.strategy?.type !== "Recreate";
}

/** Pods above the wanted number during a rolling update. */
export function maxSurge(deployment: Deployment): number {
	return isRollingUpdate(deployment) ? limits(deployment).surge : 0;
}

/** Pods that may be missing during a rolling update. */
export function maxUnavailable(deployment: Deployment): number {
	const replicas = replicasOf(deployment);
	if (!isRollingUpdate(deployment) || replicas === 0) return 0;
	return Math.min(limits(deployment).unavailable, replicas);
}

/**
 * Surge is rounded up, unavailability down; where both come to nothing, one pod may be missing, or nothing would ever
 * move.
 */
function limits(deployment: Deployment): { surge: number; unavailable: number } {
	const rolling = deployment.spec.strategy?.rollingUpdate;
	const replicas = replicasOf(deployment);
	const surge = scaled(rolling?.maxSurge, replicas, "up");
	const unavailable = scaled(rolling?.maxUnavailable, replicas, "down");
	return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/** Seconds; undefined when progress is not watched. */
export function progressDeadlineSeconds({ spec }: Deployment): number | undefined {
	return spec.progressDeadlineSeconds === unlimited ? undefined : spec.progressDeadlineSeconds;
}

export function revisionHistoryLimit({ spec }: Deployment): number | undefined {
	return spec.revisionHistoryLimit === unlimited ? undefined : spec.revisionHistoryLimit;
}

export function sum(sets: readonly ReplicaSet[], count: (set: ReplicaSet) => number | undefined): number {
	return sets.reduce((total, set) => total + (count(set) ?? 0), 0);
}

/** The number in an annotation; undefined when there is none. */
export function numberAnnotation(set: ReplicaSet, name: string): number | undefined {
	const text = set.metadata.annotations?.[name];
	return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
}

/** Notes on the set how large the Deployment is and may become. True when that was news. */
export function setReplicasAnnotations(set: ReplicaSet, desired: number, max: number): boolean {
	const annotations = set.metadata.annotations ?? {};
	if (annotations[desiredReplicasAnnotation] === `${desired}` && annotations[maxReplicasAnnotation] === `${max}`) {
		return false;
	}
	set.metadata.annotations = {
		...annotations,
		[desiredReplicasAnnotation]: `${desired}`,
		[maxReplicasAnnotation]: `${max}`,
	};
	return true;
}

/** Replicas the new set should have now: as many as are wanted and as fit under the surge beside all others. */
export function newSetReplicas(deployment: Deployment, sets: readonly ReplicaSet[], current: number): number {
	const wanted = replicasOf(deployment);
	if (!isRollingUpdate(deployment)) return wanted;
	const room = wanted + maxSurge(deployment) - sum(sets, replicasOf);
	return room <= 0 ? current : current + Math.min(room, wanted - current);
}

/** Older first; sets made within one second by name. */
export function byAge(left: ReplicaSet, right: ReplicaSet): number {
	return (
		compare(left.metadata.creationTimestamp, right.metadata.creationTimestamp) ||
		compare(left.metadata.name, right.metadata.name)
	);
}

function compare(left: string, right: string): number {
	return left < right ? -1 : left > right ? 1 : 0;
}
