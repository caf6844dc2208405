import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from "../../kinds/generated/types.ts";
import { canonical } from "../revisions/hash.ts";
import { maxUnavailable, replicasOf, sum } from "./bounds.ts";
import { withCondition } from "./conditions.ts";

/** Numbers summed up from the ReplicaSets, and whether enough pods are available. Other conditions are kept. */
export function countedStatus(
	deployment: Deployment,
	sets: readonly ReplicaSet[],
	newSet: ReplicaSet | undefined,
	nowMs: number,
): DeploymentStatus {
	const availableReplicas = sum(sets, (set) => set.status?.availableReplicas);
	const terminating = sets.some((set) => set.status?.terminatingReplicas !== undefined);
	return {
		observedGeneration: deployment.metadata.generation,
		replicas: sum(sets, (set) => set.status?.replicas),
		updatedReplicas: newSet?.status?.replicas ?? 0,
		readyReplicas: sum(sets, (set) => set.status?.readyReplicas),
		availableReplicas,
		unavailableReplicas: Math.max(0, sum(sets, replicasOf) - availableReplicas),
		terminatingReplicas: terminating ? sum(sets, (set) => set.status?.terminatingReplicas) : undefined,
		collisionCount: deployment.status?.collisionCount,
		conditions: withCondition(
			deployment.status?.conditions ?? [],
			availability(availableReplicas >= replicasOf(deployment) - maxUnavailable(deployment)),
			nowMs,
		),
	};
}

function availability(enough: boolean): Omit<DeploymentCondition, "lastUpdateTime" | "lastTransitionTime"> {
	return enough
		? {
				type: "Available",
				status: "True",
				reason: "MinimumReplicasAvailable",
				message: "Deployment has minimum availability.",
			}
		: {
				type: "Available",
				status: "False",
				reason: "MinimumReplicasUnavailable",
				message: "Deployment does not have minimum availability.",
			};
}

/**
 * Counts of zero and empty lists are left out, as the API has them; `terminatingReplicas` and `collisionCount` are told
 * when known.
 */
export function normalStatus(status: DeploymentStatus): DeploymentStatus {
	const kept = Object.entries(status).filter(
		([name, value]) =>
			value !== undefined &&
			(value !== 0 || name === "terminatingReplicas" || name === "collisionCount") &&
			!(Array.isArray(value) && value.length === 0),
	);
	return Object.fromEntries(kept);
}

export function sameStatus(left: DeploymentStatus | undefined, right: DeploymentStatus): boolean {
	return left !== undefined && canonical(normalStatus(left)) === canonical(normalStatus(right));
}
