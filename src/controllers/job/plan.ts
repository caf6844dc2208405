/** The plan of a Job (Kubernetes documentation, "Jobs"). */

import { jobs } from "../../kinds/batch/job.ts";
import type { Job, Node, Pod } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import type { Claimable } from "../podcontrol/claim.ts";
import { create, event, remove, updateStatus } from "../runtime/actions.ts";
import type { Action, Plan, PlanContext } from "../runtime/controller.ts";
import { claimPods, untrack } from "./claim.ts";
import { count } from "./counting.ts";
import { completionsReached, deadlineAtMs, endedCount, finishConditionOf } from "./finish-condition.ts";
import { type Management, manage } from "./manage.ts";
import { followNodes } from "./nodes.ts";
import { countPods, type PodCounts } from "./pod-counts.ts";
import { isTracked } from "./pods.ts";
import { type ResolvedSpec, resolveSpec } from "./resolved-spec.ts";
import { type Outcome, statusAfter, suspensionEvent, writeAtMs } from "./status.ts";
import { newPod } from "./template.ts";

export interface JobState extends Claimable<Pod> {
	job: Job;
	/** All nodes of the cluster; only for Jobs that run once on each. */
	nodes?: readonly Node[];
}

/**
 * One step towards the Job's end. Pods come first, then the status, then the finalizers of the pods that the status has
 * recorded: after an interruption, the next plan continues from what is stored.
 */
export function plan(state: JobState, { nowMs, failure }: PlanContext): Plan {
	const { job } = state;
	const { mine, actions: claims } = claimPods(job, state);
	// Adopted and released pods are visible in the next plan.
	if (claims.length > 0) return { actions: claims };
	const resolved = resolveSpec(job, state.nodes);
	const podCounts = countPods(job, resolved, mine);
	const { perNode } = resolved;
	const followed = perNode === undefined ? [] : followNodes(job, state.nodes ?? [], perNode, podCounts, mine);
	if (followed.some(({ do: what }) => what === "patch")) return { actions: followed };
	const outcome = decide(job, resolved, podCounts, mine, nowMs);
	const { management, counting, stopped, finish, over } = outcome;
	const status = statusAfter(job, resolved, podCounts, outcome, nowMs);
	const writeAt = writeAtMs(job, status, mine, nowMs);

	const statusActions: Action[] = writeAt === nowMs ? [updateStatus(jobs, { ...job, status })] : [];
	const creations = (management?.create ?? []).map((index) => createPod(job, resolved, index, podCounts));
	// If creating fails repeatedly (for example because of a quota), the rest of the status is written first.
	if (failure?.do === "create" && creations.length > 0) {
		const created = { ...management, create: [], remove: [] };
		const observed = statusAfter(job, resolved, podCounts, { ...outcome, management: created }, nowMs);
		if (writeAtMs(job, observed, mine, nowMs) === nowMs)
			creations.unshift(updateStatus(jobs, { ...job, status: observed }));
		statusActions.length = 0;
	}
	const removed = management?.remove ?? [];
	const actions = [
		...followed,
		...creations,
		...removed.filter(isTracked).map(untrack),
		...removed.map((pod) => deletePod(job, pod)),
		...statusActions,
		...stopped.map((pod) => deletePod(job, pod)),
		...counting.release.map(untrack),
		...events(job, resolved, podCounts, outcome, suspensionEvent(job, status)),
	];
	const timers = [
		writeAt === nowMs ? undefined : writeAt,
		management?.resumeAtMs,
		finish === undefined ? deadlineAtMs({ ...job, status }, resolved) : undefined,
		// More pods have to be counted than fit in one status.
		counting.unfinished && !over ? nowMs : undefined,
	].filter((atMs) => atMs !== undefined);
	return timers.length === 0 ? { actions } : { actions, requeueAtMs: Math.min(...timers) };
}

function decide(job: Job, resolved: ResolvedSpec, podCounts: PodCounts, mine: readonly Pod[], nowMs: number): Outcome {
	const jobDeleted = job.metadata.deletionTimestamp !== undefined;
	let finish = finishConditionOf(job, resolved, podCounts, mine, nowMs);
	let management: Management | undefined;
	if (finish === undefined) {
		if (!jobDeleted) management = manage(resolved, podCounts, mine, nowMs);
		if (isComplete(resolved, podCounts, management)) finish = completionsReached;
	}
	const removed = new Set(management?.remove);
	const stopped = finish === undefined ? [] : podCounts.active.filter((pod) => !removed.has(pod));
	const counting = count(resolved, podCounts, finish, { jobDeleted, removed });
	const { succeeded, failed } = counting.uncounted;
	const over =
		finish !== undefined &&
		podCounts.active.length === 0 &&
		podCounts.leaving.length === 0 &&
		counting.release.length === 0 &&
		!counting.unfinished &&
		succeeded.length + failed.length === 0;
	return { finish, over, management, stopped, counting };
}

/** Enough have succeeded, and none is running any more. */
function isComplete(resolved: ResolvedSpec, podCounts: PodCounts, management: Management | undefined): boolean {
	const running = podCounts.active.length - (management?.remove.length ?? 0) + (management?.create.length ?? 0);
	if (running > 0) return false;
	const { completions, perNode } = resolved;
	if (perNode !== undefined)
		return !perNode.follows && podCounts.succeeded > 0 && endedCount(resolved, podCounts) >= perNode.slots.length;
	return completions === undefined ? podCounts.succeeded > 0 : podCounts.succeeded >= completions;
}

function createPod(job: Job, resolved: ResolvedSpec, index: number | undefined, podCounts: PodCounts): Action {
	const replaced = index === undefined ? undefined : podCounts.lastFailed.get(index);
	return create(pods, newPod(job, resolved, index, replaced), {
		event: { regarding: job, type: "Normal", reason: "SuccessfulCreate", message: "Created pod: {name}" },
		failureEvent: { regarding: job, type: "Warning", reason: "FailedCreate", message: "Error creating: {error}" },
	});
}

function deletePod(job: Job, pod: Pod): Action {
	return remove(pods, pod, {
		event: { regarding: job, type: "Normal", reason: "SuccessfulDelete", message: "Deleted pod: {name}" },
		failureEvent: { regarding: job, type: "Warning", reason: "FailedDelete", message: "Error deleting: {error}" },
	});
}

function events(
	job: Job,
	{ completions }: ResolvedSpec,
	podCounts: PodCounts,
	{ finish, over, management }: Outcome,
	suspension: { reason: string; message: string } | undefined,
): Action[] {
	const made: Action[] = [];
	if (management !== undefined && completions !== undefined && podCounts.succeeded >= completions) {
		const late = "running after completion count reached";
		if (podCounts.active.length > management.remove.length)
			made.push(event(job, "Warning", "TooManyActivePods", `Too many active pods ${late}`));
		if (podCounts.succeeded > completions)
			made.push(event(job, "Warning", "TooManySucceededPods", `Too many succeeded pods ${late}`));
	}
	if (suspension !== undefined) made.push(event(job, "Normal", suspension.reason, suspension.message));
	if (over && finish !== undefined) {
		made.push(
			finish.type === "FailureTarget"
				? event(job, "Warning", finish.reason, finish.message)
				: event(job, "Normal", "Completed", "Job completed"),
		);
	}
	return made;
}
