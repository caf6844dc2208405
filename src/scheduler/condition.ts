/** The pod's PodScheduled condition, as set by the scheduler. */

import { conditionOf } from "../core/conditions.ts";
import { timestamp } from "../core/time/clock.ts";
import type { Pod, PodCondition } from "../kinds/generated/types.ts";

/**
 * A patch of the pod's status that says why the pod has no node; undefined if it says so already.
 * @param reason `Unschedulable` or `SchedulingGated`
 */
export function schedulingFailure(
	pod: Pod,
	reason: string,
	message: string,
	nowMs: number,
): { conditions: PodCondition[] } | undefined {
	const before = conditionOf(pod, "PodScheduled");
	if (before?.status === "False" && before.reason === reason && before.message === message) return undefined;
	const lastTransitionTime =
		before?.status === "False" && before.lastTransitionTime !== undefined
			? before.lastTransitionTime
			: timestamp(nowMs);
	const { generation } = pod.metadata;
	const observed = generation === undefined ? {} : { observedGeneration: generation };
	return { conditions: [{ type: "PodScheduled", status: "False", reason, message, lastTransitionTime, ...observed }] };
}
