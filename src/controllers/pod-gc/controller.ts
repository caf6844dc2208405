/**
 * Removes pods that no other component removes: on deleted nodes, deleted before they had a node, or too many finished
 * ones.
 */

import { objectKey, parseKey } from "../../core/object.ts";
import { timestamp } from "../../core/time/clock.ts";
import { isNodeReady, nodes } from "../../kinds/core/node.ts";
import type { Node, Pod } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { isFinished } from "../../kinds/pod/pod-lifecycle.ts";
import { podsByNode } from "../node-lifecycle/controller.ts";
import { disruptionTarget } from "../podcontrol/disruption.ts";
import { confirmAbsent, remove } from "../runtime/actions.ts";
import { type Action, type Controller, type Plan, type PlanContext, watchRule } from "../runtime/controller.ts";

export type PodGcState = { pod: Pod; node: Node | undefined } | { finished: readonly Pod[] };

const finishedKey = "finished pods";
const outOfServiceKey = "node.kubernetes.io/out-of-service";
/**
 * How long a node must be missing before its pods are removed (upstream's quarantine): it may be about to register
 * again, with its pods running.
 */
const quarantineMs = 40_000;
/** Per plan; the next plan continues. */
const largestSweep = 1000;

/** @param finishedLimit the maximum number of finished pods; upstream's default is 12,500 */
export function podGcController(finishedLimit = 12_500): Controller<PodGcState> {
	return {
		name: "pod-garbage-collector",
		component: "pod-garbage-collector-controller",
		account: "pod-garbage-collector",
		watches: [
			watchRule(
				pods,
				function* (current, old) {
					if (current === undefined) return;
					if (old === undefined || becameConcern(current, old)) yield objectKey(current);
					if (isFinished(current) && (old === undefined || !isFinished(old))) yield finishedKey;
				},
				{ indexes: { ...podsByNode, finished: (pod) => (isFinished(pod) ? ["yes"] : []) } },
			),
			watchRule(
				nodes,
				function* (current, old, informers) {
					const node = current ?? old;
					if (node === undefined || (current !== undefined && old !== undefined && !isOutOfService(current))) return;
					for (const pod of informers.of(pods).byIndex("node", node.metadata.name)) yield objectKey(pod);
				},
				{ expectations: false },
			),
		],
		// Counting requires a pass over all of them.
		coalesceMs: (key) => (key === finishedKey ? 1000 : 0),
		gather(key, informers) {
			if (key === finishedKey) {
				const finished = [...informers.of(pods).byIndex("finished", "yes")];
				return { finished: finished.length > finishedLimit ? finished : [] };
			}
			const { namespace, name } = parseKey(key);
			const pod = informers.of(pods).get(namespace, name);
			if (pod === undefined) return undefined;
			const { nodeName } = pod.spec;
			return { pod, node: nodeName === undefined ? undefined : informers.of(nodes).get(undefined, nodeName) };
		},
		plan(state, context) {
			if ("finished" in state) return { actions: surplus(state.finished, finishedLimit).map(removeNow) };
			return planPod(state.pod, state.node, context);
		},
	};
}

function planPod(pod: Pod, node: Node | undefined, { nowMs, waitedMs }: PlanContext): Plan {
	const terminating = pod.metadata.deletionTimestamp !== undefined;
	const { nodeName } = pod.spec;
	if (nodeName === undefined || nodeName === "") return { actions: terminating ? [removeNow(pod)] : [] };
	if (node === undefined) {
		if (waitedMs < quarantineMs) return { actions: [], requeueAfterMs: quarantineMs - waitedMs };
		const check = confirmAbsent(nodes, { name: nodeName });
		return { actions: [check, ...removalFromLostNode(pod, nowMs)] };
	}
	if (!terminating || !isOutOfService(node)) return { actions: [] };
	return { actions: [...failed(pod, "PodGC: node is out of service", nowMs), removeNow(pod)] };
}

/** Handles a pod whose node has been deleted permanently. */
export function removalFromLostNode(pod: Pod, nowMs: number): Action[] {
	return [...failed(pod, "PodGC: node no longer exists", nowMs), removeNow(pod)];
}

/** There is no agent left to report how the pod terminated. */
function failed(pod: Pod, message: string, nowMs: number): Action[] {
	if (isFinished(pod)) return [];
	return disruptionTarget(pod, "DeletionByPodGC", message, timestamp(nowMs), { phase: "Failed" });
}

function removeNow(pod: Pod): Action {
	const preconditions = { uid: pod.metadata.uid };
	return remove(pods, pod, { options: { gracePeriodSeconds: 0, preconditions } });
}

/** The oldest first. */
function surplus(finished: readonly Pod[], limit: number): Pod[] {
	const age = (pod: Pod) => `${pod.metadata.creationTimestamp} ${pod.metadata.name}`;
	const count = Math.min(Math.max(finished.length - limit, 0), largestSweep);
	return [...finished].sort((a, b) => (age(a) < age(b) ? -1 : 1)).slice(0, count);
}

/** The node has an out-of-service taint, and does not report that it is ready. */
function isOutOfService(node: Node): boolean {
	return !isNodeReady(node) && (node.spec.taints?.some((taint) => taint.key === outOfServiceKey) ?? false);
}

function becameConcern(current: Pod, old: Pod): boolean {
	return (
		current.spec.nodeName !== old.spec.nodeName || current.metadata.deletionTimestamp !== old.metadata.deletionTimestamp
	);
}
