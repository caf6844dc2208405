import { timestamp } from "../../core/clock.ts";
import type { Job, JobCondition } from "../../kinds/generated/types.ts";

export function conditionOf(job: Pick<Job, "status">, type: string): JobCondition | undefined {
	return job.status?.conditions?.find((condition) => condition.type === type);
}

export function isTrue(job: Pick<Job, "status">, type: string): boolean {
	return conditionOf(job, type)?.status === "True";
}

/** It has succeeded or failed for good, and nothing more will be done for it. */
export function isJobFinished(job: Pick<Job, "status">): boolean {
	return isTrue(job, "Complete") || isTrue(job, "Failed");
}

/** The conditions with one set; the same list when it says so already. */
export function withCondition(
	conditions: readonly JobCondition[],
	{ type, status, reason, message }: Pick<JobCondition, "type" | "status" | "reason" | "message">,
	nowMs: number,
): readonly JobCondition[] {
	const before = conditions.find((condition) => condition.type === type);
	// What never held need not be denied.
	if (before === undefined && status !== "True") return conditions;
	if (before?.status === status && before.reason === reason && before.message === message) return conditions;
	const now = timestamp(nowMs);
	const condition = { type, status, lastProbeTime: now, lastTransitionTime: now, reason, message };
	return before === undefined
		? [...conditions, condition]
		: conditions.map((other) => (other === before ? condition : other));
}
