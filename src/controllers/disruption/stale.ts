/** Removes the announcement that a pod will be disrupted if the disruption does not happen. */

import { conditionOf } from "../../core/conditions.ts";
import { objectKey, parseKey } from "../../core/object.ts";
import { parseTimestamp, timestamp } from "../../core/time/clock.ts";
import type { Pod, PodCondition } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { isActive } from "../../kinds/pod/pod-lifecycle.ts";
import { updateStatus } from "../runtime/actions.ts";
import { type Controller, type Plan, watchRule } from "../runtime/controller.ts";

/** Upstream's timeout, after which a disrupted pod should be being deleted. */
const staleMs = 120_000;

export const staleDisruptionController: Controller<Pod> = {
	name: "stale-disruption",
	component: "controllermanager",
	account: "disruption-controller",
	watches: [watchRule(pods, (current) => (current !== undefined && announcement(current) ? [objectKey(current)] : []))],
	gather(key, informers) {
		const { namespace, name } = parseKey(key);
		return informers.of(pods).get(namespace, name);
	},
	plan: (pod, { nowMs }) => plan(pod, nowMs),
};

/** The DisruptionTarget condition of a pod that is not being deleted. */
function announcement(pod: Pod): PodCondition | undefined {
	const condition = isActive(pod) ? conditionOf(pod, "DisruptionTarget") : undefined;
	return condition?.status === "True" ? condition : undefined;
}

function plan(pod: Pod, nowMs: number): Plan {
	const condition = announcement(pod);
	if (condition === undefined) return { actions: [] };
	const staleAtMs = parseTimestamp(condition.lastTransitionTime ?? pod.metadata.creationTimestamp) + staleMs;
	if (staleAtMs > nowMs) return { actions: [], requeueAtMs: staleAtMs };
	const { reason: _reason, message: _message, ...rest } = condition;
	const withdrawn = { ...rest, status: "False", lastTransitionTime: timestamp(nowMs) };
	const conditions = (pod.status?.conditions ?? []).map((one) => (one === condition ? withdrawn : one));
	return { actions: [updateStatus(pods, { ...pod, status: { ...pod.status, conditions } })] };
}
