import { sameJson } from "../../core/equal.ts";
import { timestamp } from "../../core/time/clock.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type {
	Pod,
	ReplicaSet,
	ReplicaSetCondition,
	ReplicaSetStatus,
	ReplicationController,
} from "../../kinds/generated/types.ts";
import { isAvailable, isReady } from "../../kinds/pod/pod-lifecycle.ts";
import { toldStatus } from "../podcontrol/told-status.ts";
import { updateStatus } from "../runtime/actions.ts";
import type { Action, ActionFailure } from "../runtime/controller.ts";

export type Replicated = ReplicaSet | ReplicationController;

export interface Counted {
	/** The set's active pods. */
	pods: readonly Pod[];
	/** Undefined if the kind does not have this field. */
	terminatingCount: number | undefined;
	/** The number of pods above the desired number; negative if there are too few. */
	excess: number;
	/** The creation or deletion of a pod that failed last time. */
	failure: ActionFailure | undefined;
	nowMs: number;
}

/** An update of the status if it has changed. */
export function statusActions<T extends Replicated>(kind: Kind<T>, set: T, counted: Counted): Action[] {
	const status = statusOf(set, counted);
	if (set.status !== undefined && sameJson(status, toldStatus(set.status, alwaysTold))) return [];
	return [updateStatus(kind, { ...set, status })];
}

function statusOf(set: Replicated, { pods, terminatingCount, excess, failure, nowMs }: Counted): ReplicaSetStatus {
	const labels = Object.entries(set.spec?.template?.metadata?.labels ?? {});
	let [fullyLabeledReplicas, readyReplicas, availableReplicas] = [0, 0, 0];
	for (const pod of pods) {
		if (labels.every(([key, value]) => pod.metadata.labels?.[key] === value)) fullyLabeledReplicas++;
		if (!isReady(pod)) continue;
		readyReplicas++;
		if (isAvailable(pod, set.spec?.minReadySeconds, nowMs)) availableReplicas++;
	}
	return toldStatus(
		{
			replicas: pods.length,
			fullyLabeledReplicas,
			readyReplicas,
			availableReplicas,
			terminatingReplicas: terminatingCount,
			observedGeneration: set.metadata.generation,
			conditions: conditionsOf(set, excess, failure, nowMs),
		},
		alwaysTold,
	);
}

/** ReplicaFailure is set by the first failure, keeps its first message, and is removed when nothing fails any more. */
function conditionsOf(set: Replicated, excess: number, failure: ActionFailure | undefined, nowMs: number) {
	const conditions: readonly ReplicaSetCondition[] = set.status?.conditions ?? [];
	const others = conditions.filter(({ type }) => type !== "ReplicaFailure");
	if (failure === undefined || excess === 0) return others;
	if (others.length < conditions.length) return [...conditions];
	const reason = excess < 0 ? "FailedCreate" : "FailedDelete";
	const lastTransitionTime = timestamp(nowMs);
	return [...others, { type: "ReplicaFailure", status: "True", reason, message: failure.message, lastTransitionTime }];
}

const alwaysTold = new Set(["replicas", "terminatingReplicas"]);
