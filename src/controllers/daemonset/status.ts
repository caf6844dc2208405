import { sameJson } from "../../core/equal.ts";
import { daemonSets } from "../../kinds/apps/daemonset.ts";
import type { DaemonSet, Pod } from "../../kinds/generated/types.ts";
import { isAvailable, isReady } from "../../kinds/pod/pod-lifecycle.ts";
import { toldStatus } from "../podcontrol/told-status.ts";
import { updateStatus } from "../runtime/actions.ts";
import type { Action } from "../runtime/controller.ts";
import { byAge } from "./nodes.ts";
import { isUpdated } from "./revisions.ts";
import type { NodeState } from "./state.ts";

/** An update of the status if it has changed. If a node has several pods, the oldest counts. */
export function statusActions(
	set: DaemonSet,
	nodes: readonly NodeState[],
	{ hash, collisionCount, nowMs }: { hash: string; collisionCount: number | undefined; nowMs: number },
): Action[] {
	const counts = {
		desiredNumberScheduled: 0,
		currentNumberScheduled: 0,
		numberMisscheduled: 0,
		numberReady: 0,
		numberAvailable: 0,
		updatedNumberScheduled: 0,
	};
	for (const { placement, pods } of nodes) {
		const pod = oldest(pods);
		if (placement.shouldRun) counts.desiredNumberScheduled++;
		if (pod === undefined) continue;
		if (!placement.shouldRun) {
			counts.numberMisscheduled++;
			continue;
		}
		counts.currentNumberScheduled++;
		if (isReady(pod)) counts.numberReady++;
		if (isAvailable(pod, set.spec.minReadySeconds, nowMs)) counts.numberAvailable++;
		if (isUpdated(set, pod, hash)) counts.updatedNumberScheduled++;
	}
	const numberUnavailable = counts.desiredNumberScheduled - counts.numberAvailable;
	const { generation: observedGeneration } = set.metadata;
	const status = toldStatus(
		{ ...set.status, ...counts, numberUnavailable, observedGeneration, collisionCount },
		alwaysTold,
	);
	if (set.status !== undefined && sameJson(status, toldStatus(set.status, alwaysTold))) return [];
	return [updateStatus(daemonSets, { ...set, status })];
}

function oldest(pods: readonly Pod[]): Pod | undefined {
	return pods.length < 2 ? pods[0] : [...pods].sort(byAge)[0];
}

const alwaysTold = new Set([
	"desiredNumberScheduled",
	"currentNumberScheduled",
	"numberMisscheduled",
	"numberReady",
	"collisionCount",
]);
