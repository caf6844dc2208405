import { daemonSets } from "../../kinds/apps/daemonset.ts";
import type { DaemonSet, DaemonSetStatus, Pod } from "../../kinds/generated/types.ts";
import { updateStatus } from "../actions.ts";
import type { Action } from "../controller.ts";
import { isAvailable, isReady } from "../podcontrol/pods.ts";
import { canonical } from "../revisions/hash.ts";
import { byAge } from "./nodes.ts";
import { isUpdated } from "./revisions.ts";
import type { NodeState } from "./state.ts";

/** A write of the status, where it is not yet what it should be. Of several pods on a node the oldest counts. */
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
	const status = normal({ ...set.status, ...counts, numberUnavailable, observedGeneration, collisionCount });
	if (set.status !== undefined && canonical(status) === canonical(normal(set.status))) return [];
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

/** Counts of zero are left out, as the API has them, except those that are always told. */
function normal(status: DaemonSetStatus): DaemonSetStatus {
	const kept = Object.entries(status).filter(
		([name, value]) =>
			value !== undefined && (value !== 0 || alwaysTold.has(name)) && !(Array.isArray(value) && value.length === 0),
	);
	// Only fields that may be absent were dropped.
	return Object.fromEntries(kept) as unknown as DaemonSetStatus;
}
