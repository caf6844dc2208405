import { timestamp } from "../../core/time/clock.ts";
import type { JobCondition } from "../../kinds/generated/types.ts";

/** The conditions with one set; the same list if it is set already. */
export function withCondition(
	conditions: readonly JobCondition[],
	{ type, status, reason, message }: Pick<JobCondition, "type" | "status" | "reason" | "message">,
	nowMs: number,
): readonly JobCondition[] {
	const before = conditions.find((condition) => condition.type === type);
	// A condition that was never true is not added as false.
	if (before === undefined && status !== "True") return conditions;
	if (before?.status === status && before.reason === reason && before.message === message) return conditions;
	const now = timestamp(nowMs);
	const condition = { type, status, lastProbeTime: now, lastTransitionTime: now, reason, message };
	return before === undefined
		? [...conditions, condition]
		: conditions.map((other) => (other === before ? condition : other));
}
