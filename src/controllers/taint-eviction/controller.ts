/** Deletes pods from nodes with NoExecute taints that they do not tolerate, or no longer (KEP-3902). */
import { parseTimestamp, timestamp } from "../../core/clock.ts";
import { objectKey } from "../../core/object.ts";
import type { Node, Pod, Taint } from "../../kinds/generated/types.ts";
import { nodes } from "../../kinds/node.ts";
import { pods } from "../../kinds/pod.ts";
import { tolerates } from "../../kinds/tolerations.ts";
import { event, remove } from "../actions.ts";
import { type Controller, type Plan, watchRule } from "../controller.ts";
import { sameJson } from "../equal.ts";
import { podsByNode } from "../node-lifecycle/controller.ts";
import { disruptionTarget } from "../podcontrol/disruption.ts";

export interface TaintEvictionState {
	pod: Pod;
	taints: readonly Taint[];
}

export const taintEvictionController: Controller<TaintEvictionState> = {
	name: "taint-eviction",
	component: "taint-eviction-controller",
	concurrency: 8,
	watches: [
		watchRule(
			pods,
			(current, old) => {
				if (current === undefined || current.spec.nodeName === undefined) return [];
				const same =
					old?.spec.nodeName === current.spec.nodeName && sameJson(old.spec.tolerations, current.spec.tolerations);
				return same ? [] : [objectKey(current)];
			},
			{ indexes: podsByNode },
		),
		watchRule(
			nodes,
			function* (current, old, mirror) {
				if (current === undefined || sameJson(noExecuteTaints(current), noExecuteTaints(old))) return;
				for (const pod of mirror.of(pods).byIndex("node", current.metadata.name)) yield objectKey(pod);
			},
			{ barrier: false },
		),
	],
	gather(key, mirror) {
		const [namespace, name = ""] = key.split("/");
		const pod = mirror.of(pods).get(namespace, name);
		if (pod?.spec.nodeName === undefined || pod.metadata.deletionTimestamp !== undefined) return undefined;
		const taints = noExecuteTaints(mirror.of(nodes).get(undefined, pod.spec.nodeName));
		return taints.length === 0 ? undefined : { pod, taints };
	},
	plan: ({ pod, taints }, { nowMs }) => plan(pod, taints, nowMs),
};

function noExecuteTaints(node: Node | undefined): Taint[] {
	return (node?.spec.taints ?? []).filter((taint) => taint.effect === "NoExecute");
}

function plan(pod: Pod, taints: readonly Taint[], nowMs: number): Plan {
	const dueMs = evictionMs(pod, taints, nowMs);
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

/** Epoch milliseconds; undefined when all taints are tolerated for good. */
function evictionMs(pod: Pod, taints: readonly Taint[], nowMs: number): number | undefined {
	let dueMs: number | undefined;
	for (const taint of taints) {
		const tolerating = (pod.spec.tolerations ?? []).filter((toleration) => tolerates(toleration, taint));
		if (tolerating.length === 0) return nowMs;
		const sinceMs = taint.timeAdded === undefined ? nowMs : parseTimestamp(taint.timeAdded);
		for (const { tolerationSeconds } of tolerating) {
			if (tolerationSeconds === undefined) continue;
			const untilMs = sinceMs + Math.max(tolerationSeconds, 0) * 1000;
			if (dueMs === undefined || untilMs < dueMs) dueMs = untilMs;
		}
	}
	return dueMs;
}
