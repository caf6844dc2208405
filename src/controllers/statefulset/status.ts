import { sameJson } from "../../core/equal.ts";
import { statefulSets } from "../../kinds/apps/statefulset.ts";
import type { Pod, StatefulSet, StatefulSetStatus } from "../../kinds/generated/types.ts";
import { isTerminating } from "../../kinds/pod/pod-lifecycle.ts";
import { toldStatus } from "../podcontrol/told-status.ts";
import { updateStatus } from "../runtime/actions.ts";
import type { Action } from "../runtime/controller.ts";
import { isRunningAndAvailable, isRunningAndReady } from "./health.ts";
import { replicasOf, revisionOf } from "./identity.ts";
import type { Revisions } from "./revisions.ts";

/**
 * An update of the status if it has changed.
 * @param leaving pods that this plan deletes for an update: they no longer count for their revision
 */
export function statusActions(
	set: StatefulSet,
	pods: readonly Pod[],
	leaving: ReadonlySet<Pod>,
	revisions: Revisions,
	nowMs: number,
): Action[] {
	const status = toldStatus({ ...set.status, ...counted(set, pods, leaving, revisions, nowMs) }, alwaysTold);
	if (set.status !== undefined && sameJson(status, toldStatus(set.status, alwaysTold))) return [];
	return [updateStatus(statefulSets, { ...set, status })];
}

function counted(
	set: StatefulSet,
	pods: readonly Pod[],
	leaving: ReadonlySet<Pod>,
	{ current, update, collisionCount }: Revisions,
	nowMs: number,
): StatefulSetStatus {
	const counts = { readyReplicas: 0, availableReplicas: 0, currentReplicas: 0, updatedReplicas: 0 };
	for (const pod of pods) {
		if (isRunningAndReady(pod)) counts.readyReplicas++;
		if (isRunningAndAvailable(set, pod, nowMs)) counts.availableReplicas++;
		if (isTerminating(pod)) continue;
		const revision = revisionOf(pod);
		if (revision === current.name && !leaving.has(pod)) counts.currentReplicas++;
		if (revision === update.name) counts.updatedReplicas++;
	}
	const wanted = replicasOf(set);
	const complete =
		set.spec.updateStrategy?.type !== "OnDelete" &&
		[pods.length, counts.readyReplicas, counts.updatedReplicas].every((count) => count === wanted);
	return {
		observedGeneration: set.metadata.generation,
		replicas: pods.length,
		...counts,
		...(complete ? { currentReplicas: counts.updatedReplicas } : {}),
		currentRevision: complete ? update.name : current.name,
		updateRevision: update.name,
		collisionCount,
	};
}

const alwaysTold = new Set(["replicas", "availableReplicas", "collisionCount"]);
