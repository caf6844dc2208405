import { sameJson } from "../../core/equal.ts";
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from "../../kinds/generated/types.ts";
import { toldStatus } from "../podcontrol/told-status.ts";
import { maxUnavailable, replicasOf, sum } from "./bounds.ts";
import { withCondition } from "./conditions.ts";

/** The sums over the ReplicaSets, and whether enough pods are available. Other conditions are kept. */
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

/** As in the API; `terminatingReplicas` and `collisionCount` are set if known. */
export function normalStatus(status: DeploymentStatus): DeploymentStatus {
	return toldStatus(status, alwaysTold);
}

const alwaysTold = new Set(["terminatingReplicas", "collisionCount"]);

export function sameStatus(left: DeploymentStatus | undefined, right: DeploymentStatus): boolean {
	return left !== undefined && sameJson(normalStatus(left), normalStatus(right));
}
