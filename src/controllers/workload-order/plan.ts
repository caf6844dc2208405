/** Determines when a pod that is held back may start. */

import { conditionOf, isTrue } from "../../core/conditions.ts";
import type { KubeObject } from "../../core/object.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { DaemonSet, Deployment, Job, Pod, StatefulSet } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { isReady } from "../../kinds/pod/pod-lifecycle.ts";
import { type Awaited, afterGate } from "../../kinds/self-help/after.ts";
import { event, patch } from "../runtime/actions.ts";
import type { Action, Plan } from "../runtime/controller.ts";

export interface OrderState {
	/** It has the scheduling gate. */
	pod: Pod;
	awaited: readonly (Awaited & {
		object: KubeObject | undefined;
	})[];
	/**
	 * The object that represents the pod's template: a ReplicaSet, a ControllerRevision, a Job. It records the Jobs that
	 * were complete.
	 */
	revision?: { kind: Kind; object: KubeObject };
	/** Why it can never start in the current state. */
	problem?: string;
}

interface Waiting {
	text: string;
	/** Waiting alone will not help. */
	isTrouble: boolean;
}

/**
 * Jobs that were complete for this template: they may have been deleted since, and the next one with that name is for
 * the next template.
 */
const doneAnnotation = "coxswain.io/after-done";

export function plan({ pod, awaited, revision, problem }: OrderState): Plan {
	const { namespace, name, uid } = pod.metadata;
	const known = revision?.object.metadata.annotations?.[doneAnnotation]?.split(",") ?? [];
	const waiting = awaited
		.filter(({ id, object }) => object !== undefined || !known.includes(id))
		.map(waitingFor)
		.filter((one) => one !== undefined);
	const remembered = remember(awaited, revision, known);
	if (problem !== undefined) waiting.push({ text: problem, isTrouble: true });
	if (waiting.length === 0) {
		const change = { metadata: { uid }, spec: { schedulingGates: [{ $patch: "delete", name: afterGate }] } };
		const done = awaited.map(({ id }) => id).join(", ");
		return {
			actions: [
				...remembered,
				patch(pods, { namespace, name }, { type: "strategic", patch: change }, { orGone: true }),
				event(pod, "Normal", "Released", done === "" ? "waits for nothing" : `no longer waits for ${done}`),
			],
		};
	}
	const message = `waits for ${waiting.map(({ text }) => text).join("; ")}`;
	const before = conditionOf(pod, "PodScheduled");
	// Reported once, and again when it changes: the condition records it.
	if (before?.message === message) return { actions: remembered };
	const condition = { type: "PodScheduled", status: "False", reason: "SchedulingGated", message };
	const change = { metadata: { uid }, status: { conditions: [condition] } };
	return {
		actions: [
			...remembered,
			patch(pods, { namespace, name }, { type: "strategic", patch: change }, { subresource: "status", orGone: true }),
			event(pod, waiting.some(({ isTrouble }) => isTrouble) ? "Warning" : "Normal", "WaitsForOthers", message),
		],
	};
}

/** Records which Jobs are complete, before their TTL expires. */
function remember(
	awaited: OrderState["awaited"],
	revision: OrderState["revision"],
	known: readonly string[],
): Action[] {
	if (revision === undefined) return [];
	const isDone = ({ kind, object }: OrderState["awaited"][number]) =>
		kind === "Job" && isTrue(object as Job, "Complete");
	const done = awaited.filter((one) => one.object !== undefined && isDone(one) && !known.includes(one.id));
	if (done.length === 0) return [];
	const { namespace, name, uid } = revision.object.metadata;
	const annotations = { [doneAnnotation]: [...known, ...done.map(({ id }) => id)].join(",") };
	const change = { type: "merge", patch: { metadata: { uid, annotations } } } as const;
	return [patch(revision.kind, { namespace, name }, change, { orGone: true })];
}

/** What is missing; undefined if it is complete or available. */
function waitingFor({ id, kind, object }: OrderState["awaited"][number]): Waiting | undefined {
	const waits = (state: string, isTrouble = false) => ({ text: `${id} (${state})`, isTrouble });
	if (object === undefined) return waits("there is none", true);
	// Each has the type of its kind.
	switch (kind) {
		case "Job": {
			if (isTrue(object as Job, "Complete")) return undefined;
			return isTrue(object as Job, "Failed") ? waits("it failed", true) : waits("not complete");
		}
		case "Pod": {
			const pod = object as Pod;
			if (isReady(pod) || pod.status?.phase === "Succeeded") return undefined;
			return pod.status?.phase === "Failed" ? waits("it failed", true) : waits("not ready");
		}
		case "DaemonSet": {
			const { metadata, status } = object as DaemonSet;
			return available(status?.numberAvailable, status?.desiredNumberScheduled, metadata, status, waits);
		}
		default: {
			const { metadata, spec, status } = object as StatefulSet | Deployment;
			return available(status?.availableReplicas, spec.replicas ?? 1, metadata, status, waits);
		}
	}
}

function available(
	count: number | undefined,
	wanted: number | undefined,
	{ generation = 0 }: KubeObject["metadata"],
	status: { observedGeneration?: number } | undefined,
	waits: (state: string, isTrouble?: boolean) => Waiting,
): Waiting | undefined {
	if ((status?.observedGeneration ?? 0) < generation) return waits("not available");
	// With 0 replicas, none is available.
	if ((wanted ?? 0) > 0 && (count ?? 0) >= (wanted ?? 0)) return undefined;
	return waits(`${count ?? 0} of ${wanted ?? 0} available`, wanted === 0);
}
