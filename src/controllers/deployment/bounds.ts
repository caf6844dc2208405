/**
 * The minimum and maximum number of pods of a Deployment (Kubernetes documentation, "Deployments", "Rolling Update
 * Deployment").
 */
import type { Deployment, ReplicaSet } from "../../kinds/generated/types.ts";
import { scaled } from "../podcontrol/scaled.ts";

export const desiredReplicasAnnotation = "deployment.kubernetes.io/desired-replicas";
export const maxReplicasAnnotation = "deployment.kubernetes.io/max-replicas";
/** The largest int32, which means no limit in the API. */
const unlimited = 2 ** 31 - 1;

export function replicasOf(object: { spec?: { replicas?: number } }): number {
	return object.spec?.replicas ?? 1;
}

export function isRollingUpdate(deployment: Deployment): boolean {
	return deployment.spec.strategy?.type !== "Recreate";
}

/** Additional pods during a rolling update. */
export function maxSurge(deployment: Deployment): number {
	return isRollingUpdate(deployment) ? limits(deployment).surge : 0;
}

/** Pods that may be unavailable during a rolling update. */
export function maxUnavailable(deployment: Deployment): number {
	const replicas = replicasOf(deployment);
	if (!isRollingUpdate(deployment) || replicas === 0) return 0;
	return Math.min(limits(deployment).unavailable, replicas);
}

/**
 * Surge is rounded up, unavailability down. If both are 0, one pod may be unavailable, because otherwise the update
 * could not proceed.
 */
function limits(deployment: Deployment): { surge: number; unavailable: number } {
	const rolling = deployment.spec.strategy?.rollingUpdate;
	const replicas = replicasOf(deployment);
	const surge = scaled(rolling?.maxSurge, replicas, "up");
	const unavailable = scaled(rolling?.maxUnavailable, replicas, "down");
	return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/** Seconds; undefined if there is no deadline. */
export function progressDeadlineSeconds({ spec }: Deployment): number | undefined {
	return spec.progressDeadlineSeconds === unlimited ? undefined : spec.progressDeadlineSeconds;
}

export function revisionHistoryLimit({ spec }: Deployment): number | undefined {
	return spec.revisionHistoryLimit === unlimited ? undefined : spec.revisionHistoryLimit;
}

export function sum(sets: readonly ReplicaSet[], count: (set: ReplicaSet) => number | undefined): number {
	return sets.reduce((total, set) => total + (count(set) ?? 0), 0);
}

/** The number in an annotation; undefined if there is none. */
export function numberAnnotation(set: ReplicaSet, name: string): number | undefined {
	const text = set.metadata.annotations?.[name];
	return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
}

/**
 * Records the Deployment's current and maximum size on the set.
 * @returns whether that changed it
 */
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

/**
 * The number of replicas that the new set should have now: as many as desired, within the limit of the surge for all
 * sets.
 */
export function newSetReplicas(deployment: Deployment, sets: readonly ReplicaSet[], current: number): number {
	const wanted = replicasOf(deployment);
	if (!isRollingUpdate(deployment)) return wanted;
	const room = wanted + maxSurge(deployment) - sum(sets, replicasOf);
	return room <= 0 ? current : current + Math.min(room, wanted - current);
}

/** Older first; sets created in the same second by name. */
export function byAge(left: ReplicaSet, right: ReplicaSet): number {
	return (
		compare(left.metadata.creationTimestamp, right.metadata.creationTimestamp) ||
		compare(left.metadata.name, right.metadata.name)
	);
}

function compare(left: string, right: string): number {
	return left < right ? -1 : left > right ? 1 : 0;
}
