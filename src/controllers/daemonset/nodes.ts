/** What to do on each node so that the DaemonSet's pods are where they should be, before any update. */

import type { DaemonSet, Pod } from "../../kinds/generated/types.ts";
import { isAvailable, isReady, isTerminating } from "../../kinds/pod/pod-lifecycle.ts";
import { event } from "../runtime/actions.ts";
import type { Action } from "../runtime/controller.ts";
import type { Placement } from "./placement.ts";
import { isUpdated } from "./revisions.ts";
import { allowsSurge } from "./rolling.ts";

export interface NodeWork {
	needsPod: boolean;
	delete: Pod[];
	events: Action[];
	/** Epoch milliseconds at which a failed pod may be replaced. */
	retryAtMs?: number;
}

/** The oldest pod first; pods that are bound to their node before others. */
export function byAge(left: Pod, right: Pod): number {
	const bound = (pod: Pod) => (pod.spec.nodeName ? 0 : 1);
	return (
		bound(left) - bound(right) ||
		compare(left.metadata.creationTimestamp, right.metadata.creationTimestamp) ||
		compare(left.metadata.name, right.metadata.name)
	);
}

export function workOn(
	set: DaemonSet,
	{ name, placement, pods }: { name: string; placement: Placement; pods: readonly Pod[] },
	{ hash, retryAtMs, nowMs }: { hash: string; retryAtMs: ReadonlyMap<string, number>; nowMs: number },
): NodeWork {
	const work: NodeWork = { needsPod: false, delete: [], events: [] };
	if (!placement.mayStay) {
		work.delete.push(...pods.filter((pod) => !isTerminating(pod)));
		return work;
	}
	const running: Pod[] = [];
	for (const pod of pods) {
		if (isTerminating(pod)) continue;
		const phase = pod.status?.phase;
		if (phase === "Failed") bury(set, pod, name, retryAtMs.get(pod.metadata.uid) ?? 0, nowMs, work);
		else if (phase === "Succeeded") {
			work.delete.push(pod);
			work.events.push(event(set, "Normal", "SucceededDaemonPod", found("succeeded", pod, name, "delete")));
		} else running.push(pod);
	}
	running.sort(byAge);
	if (allowsSurge(set)) {
		// A pod that has terminated but may not be replaced yet still occupies the node.
		work.needsPod = placement.shouldRun && pods.every((pod) => isTerminating(pod));
		work.delete.push(...surplusOfTwo(set, running, hash, nowMs));
	} else {
		work.needsPod = placement.shouldRun && pods.length === 0;
		work.delete.push(...running.slice(1));
	}
	return work;
}

function bury(set: DaemonSet, pod: Pod, node: string, fromMs: number, nowMs: number, work: NodeWork): void {
	if (fromMs > nowMs) {
		work.retryAtMs = Math.min(work.retryAtMs ?? fromMs, fromMs);
		return;
	}
	work.delete.push(pod);
	work.events.push(event(set, "Warning", "FailedDaemonPod", found("failed", pod, node, "kill")));
}

function found(what: string, { metadata }: Pod, node: string, verb: string): string {
	return `Found ${what} daemon pod ${metadata.namespace}/${metadata.name} on node ${node}, will try to ${verb} it`;
}

/**
 * Where an old and a new pod may run side by side: all but the oldest of each, and the old one if it is no longer
 * needed.
 */
function surplusOfTwo(set: DaemonSet, running: readonly Pod[], hash: string, nowMs: number): Pod[] {
	const fresh = running.filter((pod) => isUpdated(set, pod, hash));
	const old = running.filter((pod) => !isUpdated(set, pod, hash));
	const surplus = [...fresh.slice(1), ...old.slice(1)];
	const [newest, oldest] = [fresh[0], old[0]];
	if (newest === undefined || oldest === undefined) return surplus;
	const done = !isReady(oldest) || isAvailable(newest, set.spec.minReadySeconds, nowMs);
	return done ? [...surplus, oldest] : surplus;
}

function compare(left: string, right: string): number {
	return left < right ? -1 : left > right ? 1 : 0;
}
