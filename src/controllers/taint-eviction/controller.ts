/** Deletes pods from nodes with NoExecute taints that they do not tolerate, or not any longer (KEP-3902). */

import { sameJson } from "../../core/equal.ts";
import { objectKey, parseKey } from "../../core/object.ts";
import { parseTimestamp, timestamp } from "../../core/time/clock.ts";
import { nodes } from "../../kinds/core/node.ts";
import type { Node, Pod, Taint } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { tolerates } from "../../kinds/pod/tolerations.ts";
import { podsByNode } from "../node-lifecycle/controller.ts";
import { disruptionTarget } from "../podcontrol/disruption.ts";
import { event, remove } from "../runtime/actions.ts";
import { type Controller, type InformerCache, type Plan, type PlanContext, watchRule } from "../runtime/controller.ts";

export interface TaintEvictionState {
	pod: Pod;
	taints: readonly Taint[];
	/**
	 * When the pod was first found on its tainted node; set by the first plan that sees it. For taints without a time.
	 */
	found: { atMs?: number };
}

/** Kept as long as the informer cache: the store does not record when a user added a taint. */
const foundPods = new WeakMap<InformerCache, Map<string, { uid: string; atMs?: number }>>();

export const taintEvictionController: Controller<TaintEvictionState> = {
	name: "taint-eviction",
	component: "taint-eviction-controller",
	account: "node-controller",
	concurrency: 8,
	watches: [
		watchRule(
			pods,
			(current, old) => {
				// A deleted pod is synced so that its state is removed.
				if (current === undefined) return old?.spec.nodeName === undefined ? [] : [objectKey(old)];
				if (current.spec.nodeName === undefined) return [];
				const same =
					old?.spec.nodeName === current.spec.nodeName && sameJson(old.spec.tolerations, current.spec.tolerations);
				return same ? [] : [objectKey(current)];
			},
			{ indexes: podsByNode },
		),
		watchRule(
			nodes,
			function* (current, old, informers) {
				if (current === undefined || sameJson(noExecuteTaints(current), noExecuteTaints(old))) return;
				for (const pod of informers.of(pods).byIndex("node", current.metadata.name)) yield objectKey(pod);
			},
			{ expectations: false },
		),
	],
	gather(key, informers) {
		const { namespace, name } = parseKey(key);
		const pod = informers.of(pods).get(namespace, name);
		const nodeName = pod?.metadata.deletionTimestamp === undefined ? pod?.spec.nodeName : undefined;
		const taints = nodeName === undefined ? [] : noExecuteTaints(informers.of(nodes).get(undefined, nodeName));
		const memory = foundPods.get(informers) ?? new Map<string, { uid: string; atMs?: number }>();
		foundPods.set(informers, memory);
		if (pod === undefined || taints.length === 0) {
			memory.delete(key);
			return undefined;
		}
		const known = memory.get(key);
		const found = known?.uid === pod.metadata.uid ? known : { uid: pod.metadata.uid };
		memory.set(key, found);
		return { pod, taints, found };
	},
	plan,
};

function noExecuteTaints(node: Node | undefined): Taint[] {
	return (node?.spec.taints ?? []).filter((taint) => taint.effect === "NoExecute");
}

function plan({ pod, taints, found }: TaintEvictionState, { nowMs }: PlanContext): Plan {
	found.atMs ??= nowMs;
	const dueMs = evictionMs(pod, taints, { nowMs, foundMs: found.atMs });
	if (dueMs === undefined) return { actions: [] };
	if (dueMs > nowMs) return { actions: [], requeueAtMs: dueMs };
	const message = "Taint manager: deleting due to NoExecute taint";
	return {
		actions: [
			event(pod, "Normal", "TaintManagerEviction", `Marking for deletion Pod ${objectKey(pod)}`),
			...disruptionTarget(pod, "DeletionByTaintManager", message, timestamp(nowMs)),
			remove(pods, pod),
		],
	};
}

/** Epoch milliseconds; undefined if all taints are tolerated indefinitely. */
function evictionMs(
	pod: Pod,
	taints: readonly Taint[],
	{ nowMs, foundMs }: { nowMs: number; foundMs: number },
): number | undefined {
	let dueMs: number | undefined;
	for (const taint of taints) {
		const tolerating = (pod.spec.tolerations ?? []).filter((toleration) => tolerates(toleration, taint));
		if (tolerating.length === 0) return nowMs;
		const sinceMs = taint.timeAdded === undefined ? foundMs : parseTimestamp(taint.timeAdded);
		for (const { tolerationSeconds } of tolerating) {
			if (tolerationSeconds === undefined) continue;
			const untilMs = sinceMs + Math.max(tolerationSeconds, 0) * 1000;
			if (dueMs === undefined || untilMs < dueMs) dueMs = untilMs;
		}
	}
	return dueMs;
}
