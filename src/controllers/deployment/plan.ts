/** The next step of a Deployment (Kubernetes documentation, "Deployments"). */

import { conditionOf } from "../../core/conditions.ts";
import { deployments } from "../../kinds/apps/deployment.ts";
import { replicaSets } from "../../kinds/apps/replicaset.ts";
import type { Deployment, DeploymentStatus, ReplicaSet } from "../../kinds/generated/types.ts";
import { claim, selectorOf } from "../podcontrol/claim.ts";
import { event, patch, updateStatus } from "../runtime/actions.ts";
import type { Action, Plan, PlanContext } from "../runtime/controller.ts";
import {
	isRollingUpdate,
	newSetReplicas,
	progressDeadlineSeconds,
	replicasOf,
	revisionHistoryLimit,
} from "./bounds.ts";
import {
	deadlineMs,
	isComplete,
	progressing,
	replicaFailure,
	withCondition,
	without,
	withProgress,
} from "./conditions.ts";
import {
	byRevision,
	findNewSet,
	newSetDraft,
	nextRevision,
	revisionAnnotation,
	setNewSetAnnotations,
} from "./revision.ts";
import { scaleNewSet, scaleOldSets } from "./rolling.ts";
import { isScaled, scaleInProportion } from "./scaling.ts";
import type { DeploymentState } from "./state.ts";
import { countedStatus, normalStatus, sameStatus } from "./status.ts";
import { Working } from "./working.ts";

/** The plan under construction: the Deployment with its new conditions, its sets, and which of them is the newest. */
interface Making {
	deployment: Deployment;
	working: Working;
	newSet: ReplicaSet | undefined;
	oldSets: ReplicaSet[];
	context: PlanContext;
}

export function plan(state: DeploymentState, context: PlanContext): Plan {
	const { deployment } = state;
	const selector = selectorOf(deployment.spec.selector);
	if (selector.everything) return selectingAll(deployment);
	const claimed = claim({ owner: deployments, object: replicaSets }, deployment, selector, state.sets);
	const working = new Working(deployment, claimed.mine);
	const newest = findNewSet(deployment, claimed.mine)?.metadata.uid;
	const making: Making = {
		deployment: withPauseCondition(deployment, context.nowMs),
		working,
		newSet: working.sets.find(({ metadata }) => metadata.uid === newest),
		oldSets: working.sets.filter(({ metadata }) => metadata.uid !== newest),
		context,
	};
	if (deployment.metadata.deletionTimestamp !== undefined) return { actions: finish(making, countedOnly(making)) };
	if (making.newSet !== undefined) syncNewSet(making, making.newSet);
	const scaling = deployment.spec.paused === true || isScaled(working);
	if (scaling) {
		scaleInProportion(working, making.newSet, making.oldSets);
		if (deployment.spec.paused === true) cleanUp(making);
		return { actions: [...claimed.actions, ...finish(making, countedOnly(making))] };
	}
	const collision = rollOut(making, state);
	const status = rolloutStatus(making);
	if (collision) status.collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
	const dueMs = isComplete(deployment, status) ? undefined : deadlineMs(deployment, status);
	return {
		actions: [...claimed.actions, ...finish(making, status)],
		...(dueMs === undefined ? {} : { requeueAtMs: dueMs + 1000 }),
	};
}

function selectingAll(deployment: Deployment): Plan {
	const message = "This deployment is selecting all pods. A non-empty selector is required.";
	const observedGeneration = deployment.metadata.generation;
	if (deployment.status?.observedGeneration === observedGeneration) return { actions: [] };
	return {
		actions: [
			event(deployment, "Warning", "SelectingAll", message),
			updateStatus(deployments, { ...deployment, status: { ...deployment.status, observedGeneration } }),
		],
	};
}

/**
 * One step of the rollout.
 * @returns whether the name of the new set is already in use
 */
function rollOut(making: Making, state: DeploymentState): boolean {
	const { working, oldSets } = making;
	const recreate = !isRollingUpdate(making.deployment);
	if (recreate) {
		const shrunk = oldSets.filter((set) => replicasOf(set) > 0 && working.scale(set, 0));
		if (shrunk.length > 0 || oldPodsRun(making, state)) return false;
	}
	if (making.newSet === undefined) {
		if (state.nameTaken) return true;
		createNewSet(making);
	} else if (scaleNewSet(working, making.newSet) && !recreate) return false;
	if (!recreate && making.newSet !== undefined && scaleOldSets(working, making.newSet, oldSets)) return false;
	if (isComplete(making.deployment, making.deployment.status ?? {})) cleanUp(making);
	return false;
}

/** Recreate waits until the last pod of an old template was deleted or has terminated. */
function oldPodsRun({ oldSets, newSet }: Making, { runningPods }: DeploymentState): boolean {
	if (oldSets.some((set) => (set.status?.replicas ?? 0) > 0)) return true;
	return [...runningPods].some((uid) => uid !== newSet?.metadata.uid);
}

/** Annotations, revision and minReadySeconds of the newest set follow the Deployment. */
function syncNewSet(making: Making, newSet: ReplicaSet): void {
	const { deployment, working, oldSets, context } = making;
	if (setNewSetAnnotations(deployment, newSet, nextRevision(oldSets))) working.touch(newSet);
	if ((newSet.spec?.minReadySeconds ?? 0) !== (deployment.spec.minReadySeconds ?? 0)) {
		newSet.spec = {
			...newSet.spec,
			selector: newSet.spec?.selector ?? {},
			minReadySeconds: deployment.spec.minReadySeconds,
		};
		working.touch(newSet);
	}
	const found = `Found new replica set "${newSet.metadata.name}"`;
	if (progressDeadlineSeconds(deployment) !== undefined && !conditionOf(deployment, "Progressing")) {
		setCondition(making, progressing("True", "FoundNewReplicaSet", found), context.nowMs);
	}
}

function createNewSet(making: Making): void {
	const { deployment, working, oldSets, context } = making;
	const draft = newSetDraft(deployment, nextRevision(oldSets), (set) =>
		newSetReplicas(deployment, working.sets, replicasOf(set)),
	);
	working.create(draft);
	// The following steps only use its number of replicas, not the server's defaults.
	const newSet = { ...draft, status: { replicas: 0 } } as ReplicaSet;
	working.sets.push(newSet);
	making.newSet = newSet;
	if (progressDeadlineSeconds(deployment) === undefined) return;
	const { failure } = context;
	if (failure?.do === "create" && failure.kind === replicaSets) {
		if (failure.reason === "AlreadyExists") return;
		const message = `Failed to create new replica set "${draft.metadata.name}": ${failure.message}`;
		setCondition(making, progressing("False", "ReplicaSetCreateError", message), context.nowMs);
	} else {
		const message = `Created new replica set "${draft.metadata.name}"`;
		setCondition(making, progressing("True", "NewReplicaSetCreated", message), context.nowMs);
	}
}

function setCondition(making: Making, condition: Parameters<typeof withCondition>[1], nowMs: number): void {
	const { deployment } = making;
	const conditions = withCondition(deployment.status?.conditions ?? [], condition, nowMs);
	making.deployment = { ...deployment, status: { ...deployment.status, conditions } };
}

/**
 * The Progressing condition reflects a pause and its end, so that the deadline does not apply in the meantime; a missed
 * deadline remains visible.
 */
function withPauseCondition(deployment: Deployment, nowMs: number): Deployment {
	const current = conditionOf(deployment, "Progressing");
	if (progressDeadlineSeconds(deployment) === undefined || current?.reason === "ProgressDeadlineExceeded")
		return deployment;
	const paused = deployment.spec.paused === true;
	if (paused === (current?.reason === "DeploymentPaused")) return deployment;
	const condition = paused
		? progressing("Unknown", "DeploymentPaused", "Deployment is paused")
		: progressing("Unknown", "DeploymentResumed", "Deployment is resumed");
	const conditions = withCondition(deployment.status?.conditions ?? [], condition, nowMs);
	return { ...deployment, status: { ...deployment.status, conditions } };
}

/** Deletes the oldest empty sets beyond the history limit, once their status has caught up. */
function cleanUp({ deployment, working, oldSets }: Making): void {
	const limit = revisionHistoryLimit(deployment);
	if (limit === undefined) return;
	const alive = oldSets.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
	const oldest = alive.sort(byRevision).slice(0, Math.max(0, alive.length - limit));
	for (const set of oldest) {
		const seen = (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0);
		if (seen && replicasOf(set) === 0 && (set.status?.replicas ?? 0) === 0) working.remove(set);
	}
}

function countedOnly({ deployment, working, newSet, context }: Making): DeploymentStatus {
	return countedStatus(deployment, working.sets, newSet, context.nowMs);
}

function rolloutStatus(making: Making): DeploymentStatus {
	const { deployment, working, newSet, context } = making;
	const status = countedOnly(making);
	status.conditions = withProgress(deployment, status, newSet, context.nowMs);
	const failure = replicaFailure(working.sets, newSet);
	status.conditions =
		failure === undefined
			? without(status.conditions, "ReplicaFailure")
			: withCondition(status.conditions, failure, context.nowMs);
	return status;
}

/** The writes: the sets, then the Deployment's status and revision number. */
function finish({ working, newSet, context }: Making, status: DeploymentStatus): Action[] {
	const { deployment } = working;
	const work = working.actions();
	const own: Action[] = [];
	if (!sameStatus(deployment.status, status)) {
		own.push(updateStatus(deployments, { ...deployment, status: normalStatus(status) }));
	}
	const revision = newSet?.metadata.annotations?.[revisionAnnotation];
	if (revision !== undefined && deployment.metadata.annotations?.[revisionAnnotation] !== revision) {
		const { namespace, name } = deployment.metadata;
		const annotations = { [revisionAnnotation]: revision };
		own.push(patch(deployments, { namespace, name }, { type: "merge", patch: { metadata: { annotations } } }));
	}
	// An action that failed last time may fail again, so write the status first.
	return context.failure === undefined ? [...work, ...own] : [...own, ...work];
}
