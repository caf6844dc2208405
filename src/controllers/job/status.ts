/** The status of a Job after a plan. */

import { conditionOf } from "../../core/conditions.ts";
import { sameJson } from "../../core/equal.ts";
import { parseTimestamp, timestamp } from "../../core/time/clock.ts";
import type { Job, JobCondition, JobStatus, Pod } from "../../kinds/generated/types.ts";
import { isActive, readyCondition } from "../../kinds/pod/pod-lifecycle.ts";
import { allNodesCondition } from "../../kinds/self-help/per-node.ts";
import { withCondition } from "./conditions.ts";
import type { Counting } from "./counting.ts";
import type { FinishCondition } from "./finish-condition.ts";
import type { Management } from "./manage.ts";
import { nodesCondition } from "./nodes.ts";
import type { PerNode } from "./per-node.ts";
import type { PodCounts } from "./pod-counts.ts";
import type { ResolvedSpec } from "./resolved-spec.ts";

export interface Outcome {
	finish: FinishCondition | undefined;
	/** Nothing is left to wait for: this status includes the final condition. */
	over: boolean;
	management: Management | undefined;
	/** Active pods deleted because the Job ends. */
	stopped: readonly Pod[];
	counting: Counting;
}

export function statusAfter(
	job: Job,
	resolved: ResolvedSpec,
	podCounts: PodCounts,
	outcome: Outcome,
	nowMs: number,
): JobStatus {
	const { management, counting, finish, over } = outcome;
	const now = timestamp(nowMs);
	const before = job.status?.conditions ?? [];
	let conditions: readonly JobCondition[] = before;
	let startTime = job.status?.startTime;
	// A finished Job needs a start time, unless there was nothing to do.
	if (startTime === undefined && (!resolved.suspended || (over && resolved.completions !== 0))) startTime = now;
	// The condition Suspended is set only while the Job is active.
	if (management !== undefined && finish === undefined) {
		conditions = withCondition(conditions, suspension(resolved.suspended), nowMs);
		// The deadline counts from when the Job was last resumed.
		if (resolved.suspended) startTime = undefined;
		else if (conditions !== before) startTime = now;
	}
	if (finish !== undefined) conditions = withFinishCondition(conditions, finish, over, nowMs);
	if (resolved.perNode !== undefined) {
		const begun = (management?.create ?? []).filter((index) => index !== undefined);
		conditions = withNodes(conditions, resolved.perNode, podCounts, begun, nowMs);
	}
	const removed = new Set([...(management?.remove ?? []), ...outcome.stopped]);
	const active = podCounts.active.length - removed.size + (management?.create.length ?? 0);
	const indexed = resolved.indexed ? { completedIndexes: orAbsent(counting.completedIndexes.toString()) } : {};
	const failedIndexes =
		podCounts.failedIndexes === undefined ? {} : { failedIndexes: podCounts.failedIndexes.toString() };
	const { succeeded: uncountedSucceeded, failed: uncountedFailed } = counting.uncounted;
	return withoutAbsent({
		...job.status,
		conditions: conditions.length === 0 ? undefined : [...conditions],
		startTime,
		active: orAbsent(active),
		ready: podCounts.active.filter((pod) => !removed.has(pod) && readyCondition(pod)?.status === "True").length,
		// A pod without a node is gone as soon as it is deleted.
		terminating: podCounts.leaving.length + [...removed].filter(({ spec }) => !!spec.nodeName).length,
		succeeded: orAbsent(resolved.indexed ? counting.completedIndexes.size : podCounts.settled.succeeded),
		failed: orAbsent(podCounts.settled.failed),
		...indexed,
		...failedIndexes,
		uncountedTerminatedPods: withoutAbsent({
			succeeded: uncountedSucceeded.length === 0 ? undefined : uncountedSucceeded,
			failed: uncountedFailed.length === 0 ? undefined : uncountedFailed,
		}),
		...(over && finish?.type === "SuccessCriteriaMet" ? { completionTime: latest(now, startTime) } : {}),
	});
}

function withNodes(
	conditions: readonly JobCondition[],
	perNode: PerNode,
	podCounts: PodCounts,
	begun: readonly number[],
	nowMs: number,
): JobCondition[] {
	const before = conditions.find(({ type }) => type === allNodesCondition);
	const next = nodesCondition(perNode, podCounts, { before, begun, nowMs });
	return before === undefined ? [...conditions, next] : conditions.map((one) => (one === before ? next : one));
}

/** The later of two times; the clock may have been set back since the first. */
function latest(time: string, other = time): string {
	return time < other ? other : time;
}

function suspension(suspended: boolean): Pick<JobCondition, "type" | "status" | "reason" | "message"> {
	return suspended
		? { type: "Suspended", status: "True", reason: "JobSuspended", message: "Job suspended" }
		: { type: "Suspended", status: "False", reason: "JobResumed", message: "Job resumed" };
}

function withFinishCondition(
	conditions: readonly JobCondition[],
	{ type, reason, message }: FinishCondition,
	over: boolean,
	nowMs: number,
): readonly JobCondition[] {
	const interim = withCondition(conditions, { type, status: "True", reason, message }, nowMs);
	if (!over) return interim;
	const final = type === "FailureTarget" ? "Failed" : "Complete";
	return withCondition(interim, { type: final, status: "True", reason, message }, nowMs);
}

/** Zero counters and empty texts are left out, as in upstream's encoding. */
function orAbsent<T extends number | string>(value: T): T | undefined {
	return value === 0 || value === "" ? undefined : value;
}

function withoutAbsent<T extends object>(status: T): T {
	// Fields that are undefined are optional.
	return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined)) as T;
}

/** How long a change of readiness alone waits for others, like upstream's batching of pod changes. */
const readinessBatchMs = 1000;

/**
 * When to write the status: undefined for never, `nowMs` for immediately. A change of readiness alone is delayed, so
 * that a pod that is ready and terminates within a second is written once.
 */
export function writeAtMs(job: Job, next: JobStatus, pods: readonly Pod[], nowMs: number): number | undefined {
	const { status: before = {} } = job;
	if (sameJson(before, next)) return undefined;
	if (before.ready === undefined || !sameJson({ ...before, ready: 0 }, { ...next, ready: 0 })) return nowMs;
	const changes = pods.filter(isActive).map((pod) => readyCondition(pod)?.lastTransitionTime);
	const lastMs = Math.max(...changes.map((time) => (time === undefined ? 0 : parseTimestamp(time))));
	// At most the delay of one batch, whatever the agent's clock says.
	return Math.max(Math.min(lastMs, nowMs) + readinessBatchMs, nowMs);
}

export function suspensionEvent(job: Job, next: JobStatus): { reason: string; message: string } | undefined {
	const after = conditionOf({ status: next }, "Suspended");
	if (after === undefined || conditionOf(job, "Suspended")?.status === after.status) return undefined;
	return after.status === "True"
		? { reason: "Suspended", message: "Job suspended" }
		: { reason: "Resumed", message: "Job resumed" };
}
