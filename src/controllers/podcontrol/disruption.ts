import type { Pod, PodCondition } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { patch } from "../runtime/actions.ts";
import type { Action } from "../runtime/controller.ts";

/**
 * Writes into a pod's status why it is about to be deleted, so that Jobs can distinguish disruptions from failures
 * (KEP-3329).
 * @param change other changes of the status, such as a phase
 */
export function disruptionTarget(
	pod: Pod,
	reason: string,
	message: string,
	now: string,
	change: object = {},
): Action[] {
	const before = pod.status?.conditions ?? [];
	const old = before.find((condition) => condition.type === "DisruptionTarget");
	if (old?.status === "True" && old.reason === reason && Object.keys(change).length === 0) return [];
	const condition: PodCondition = {
		type: "DisruptionTarget",
		status: "True",
		lastTransitionTime: now,
		reason,
		message,
	};
	const { namespace, name, uid } = pod.metadata;
	// A strategic merge patch adds to the conditions by type, regardless of concurrent changes.
	const content = { metadata: { uid }, status: { ...change, conditions: [condition] } };
	return [
		patch(pods, { namespace, name }, { type: "strategic", patch: content }, { subresource: "status", orGone: true }),
	];
}
