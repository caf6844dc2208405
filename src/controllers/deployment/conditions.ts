/** Conditions of a Deployment, with upstream's reasons and messages. */

import { conditionOf } from "../../core/conditions.ts";
import { parseTimestamp, timestamp } from "../../core/time/clock.ts";
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from "../../kinds/generated/types.ts";
import { progressDeadlineSeconds, replicasOf } from "./bounds.ts";

export function without(conditions: readonly DeploymentCondition[], type: string): DeploymentCondition[] {
	return conditions.filter((condition) => condition.type !== type);
}

/**
 * The conditions with this one at the end. A condition with the same status and reason is not changed; the transition
 * time changes only with the status.
 */
export function withCondition(
	conditions: readonly DeploymentCondition[],
	condition: Omit<DeploymentCondition, "lastUpdateTime" | "lastTransitionTime">,
	nowMs: number,
): DeploymentCondition[] {
	const current = conditions.find(({ type }) => type === condition.type);
	if (current?.status === condition.status && current.reason === condition.reason) return [...conditions];
	const now = timestamp(nowMs);
	const since = current?.status === condition.status ? current.lastTransitionTime : undefined;
	return [
		...without(conditions, condition.type),
		{ ...condition, lastUpdateTime: now, lastTransitionTime: since ?? now },
	];
}

export function progressing(status: "True" | "False" | "Unknown", reason: string, message: string) {
	return { type: "Progressing", status, reason, message };
}

/** Every pod has the newest template and is available, and no other pod is left. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
	const wanted = replicasOf(deployment);
	return (
		(status.updatedReplicas ?? 0) === wanted &&
		(status.replicas ?? 0) === wanted &&
		(status.availableReplicas ?? 0) === wanted &&
		(status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
	);
}

/** The rollout has progressed since the Deployment's status was written. */
function hasProgressed({ status: before = {} }: Deployment, after: DeploymentStatus): boolean {
	const old = (status: DeploymentStatus) => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
	return (
		(after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
		old(after) < old(before) ||
		(after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
		(after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
	);
}

/**
 * Epoch milliseconds at which the current Progressing condition exceeds its deadline; undefined if that does not apply.
 */
export function deadlineMs(deployment: Deployment, status: DeploymentStatus): number | undefined {
	const seconds = progressDeadlineSeconds(deployment);
	const condition = conditionOf({ status }, "Progressing");
	if (seconds === undefined || condition?.lastUpdateTime === undefined) return undefined;
	if (condition.reason === "NewReplicaSetAvailable" || condition.reason === "ProgressDeadlineExceeded")
		return undefined;
	return parseTimestamp(condition.lastUpdateTime) + seconds * 1000;
}

/** The conditions with the Progressing condition updated for the new numbers in `status`. */
export function withProgress(
	deployment: Deployment,
	status: DeploymentStatus,
	newSet: ReplicaSet | undefined,
	nowMs: number,
): DeploymentCondition[] {
	const conditions = status.conditions ?? [];
	if (progressDeadlineSeconds(deployment) === undefined) return without(conditions, "Progressing");
	const current = conditionOf(deployment, "Progressing");
	const settled = (status.replicas ?? 0) === (status.updatedReplicas ?? 0);
	if (settled && current?.reason === "NewReplicaSetAvailable") return [...conditions];
	const subject =
		newSet === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newSet.metadata.name}"`;
	if (isComplete(deployment, status)) {
		const done = progressing("True", "NewReplicaSetAvailable", `${subject} has successfully progressed.`);
		return withCondition(conditions, done, nowMs);
	}
	if (hasProgressed(deployment, status)) {
		const moving = progressing("True", "ReplicaSetUpdated", `${subject} is progressing.`);
		// Every step renews its update time: the deadline counts from the last step.
		const renewed = withCondition(without(conditions, "Progressing"), moving, nowMs);
		const since = current?.status === "True" ? current.lastTransitionTime : undefined;
		return since === undefined
			? renewed
			: renewed.map((one) => (one.type === "Progressing" ? { ...one, lastTransitionTime: since } : one));
	}
	const dueMs = deadlineMs(deployment, status);
	if (dueMs !== undefined && dueMs < nowMs) {
		const late = progressing("False", "ProgressDeadlineExceeded", `${subject} has timed out progressing.`);
		return withCondition(conditions, late, nowMs);
	}
	return [...conditions];
}

/** The first failure that the newest set reports; if it reports none, that of any set. */
export function replicaFailure(
	sets: readonly ReplicaSet[],
	newSet: ReplicaSet | undefined,
): Omit<DeploymentCondition, "lastUpdateTime" | "lastTransitionTime"> | undefined {
	const failures = [...(newSet === undefined ? [] : [newSet]), ...sets].flatMap(
		({ status }) => status?.conditions?.filter(({ type }) => type === "ReplicaFailure") ?? [],
	);
	const [first] = failures;
	return first && { type: "ReplicaFailure", status: first.status, reason: first.reason, message: first.message };
}
