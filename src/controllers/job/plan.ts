/** The plan of a Job (Kubernetes documentation, "Jobs"). */

import { jobs } from "../../kinds/batch/job.ts";
import type { Job, Node, Pod } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { create, event, remove, updateStatus } from "../actions.ts";
import type { Action, Plan, PlanContext } from "../controller.ts";
import type { Claimable } from "../podcontrol/claim.ts";
import { type Census, takeCensus } from "./census.ts";
import { claimPods, untrack } from "./claim.ts";
import { count } from "./counting.ts";
import { type Management, manage } from "./manage.ts";
import { followNodes } from "./nodes.ts";
import { isTracked } from "./pods.ts";
import { type Outcome, statusAfter, suspensionEvent, writeAtMs } from "./status.ts";
import { newPod } from "./template.ts";
import { type Terms, termsOf } from "./terms.ts";
import { completionsReached, deadlineAtMs, endedCount, verdictOf } from "./verdict.ts";

export interface JobState extends Claimable<Pod> {
	job: Job;
	/** All of the cluster; only for Jobs that run once on each. */
	nodes?: readonly Node[];
}

/**
 * One step nearer to the job's end. Pods come first, then the status, then the finalizers of the pods whose end the
 * status has taken down: interrupted anywhere, the next plan goes on from what is stored.
 */
export function plan(state: JobState, { nowMs, failure }: PlanContext): Plan {
	const { job } = state;
	const { mine, actions: claims } = claimPods(job, state);
	// What was adopted or let go shows in the next plan.
	if (claims.length > 0) return { actions: claims };
	const terms = termsOf(job, state.nodes);
	const census = takeCensus(job, terms, mine);
	const { perNode } = terms;
	const followed = perNode === undefined ? [] : followNodes(job, state.nodes ?? [], perNode, census, mine);
	if (followed.some(({ do: what }) => what === "patch")) return { actions: followed };
	const outcome = decide(job, terms, census, mine, nowMs);
	const { management, counting, stopped, verdict, over } = outcome;
	const status = statusAfter(job, terms, census, outcome, nowMs);
	const writeAt = writeAtMs(job, status, mine, nowMs);

	const statusActions: Action[] = writeAt === nowMs ? [updateStatus(jobs, { ...job, status })] : [];
	const creations = (management?.create ?? []).map((index) => createPod(job, terms, index, census));
	// Where creating fails again and again (a quota), the rest of the status is not to wait for it.
	if (failure?.do === "create" && creations.length > 0) {
		const created = { ...management, create: [], remove: [] };
		const observed = statusAfter(job, terms, census, { ...outcome, management: created }, nowMs);
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
		...events(job, terms, census, outcome, suspensionEvent(job, status)),
	];
	const timers = [
		writeAt === nowMs ? undefined : writeAt,
		management?.resumeAtMs,
		verdict === undefined ? deadlineAtMs({ ...job, status }, terms) : undefined,
		// More is left to count than fits one status.
		counting.unfinished && !over ? nowMs : undefined,
	].filter((atMs) => atMs !== undefined);
	return timers.length === 0 ? { actions } : { actions, requeueAtMs: Math.min(...timers) };
}

function decide(job: Job, terms: Terms, census: Census, mine: readonly Pod[], nowMs: number): Outcome {
	const jobDeleted = job.metadata.deletionTimestamp !== undefined;
	let verdict = verdictOf(job, terms, census, mine, nowMs);
	let management: Management | undefined;
	if (verdict === undefined) {
		if (!jobDeleted) management = manage(terms, census, mine, nowMs);
		if (isComplete(terms, census, management)) verdict = completionsReached;
	}
	const removed = new Set(management?.remove);
	const stopped = verdict === undefined ? [] : census.active.filter((pod) => !removed.has(pod));
	const counting = count(terms, census, verdict, { jobDeleted, removed });
	const { succeeded, failed } = counting.uncounted;
	const over =
		verdict !== undefined &&
		census.active.length === 0 &&
		census.leaving.length === 0 &&
		counting.release.length === 0 &&
		!counting.unfinished &&
		succeeded.length + failed.length === 0;
	return { verdict, over, management, stopped, counting };
}

/** Enough have succeeded, and none is left running. */
function isComplete(terms: Terms, census: Census, management: Management | undefined): boolean {
	const running = census.active.length - (management?.remove.length ?? 0) + (management?.create.length ?? 0);
	if (running > 0) return false;
	const { completions, perNode } = terms;
	if (perNode !== undefined)
		return !perNode.follows && census.succeeded > 0 && endedCount(terms, census) >= perNode.slots.length;
	return completions === undefined ? census.succeeded > 0 : census.succeeded >= completions;
}

function createPod(job: Job, terms: Terms, index: number | undefined, census: Census): Action {
	const replaced = index === undefined ? undefined : census.lastFailed.get(index);
	return create(pods, newPod(job, terms, index, replaced), {
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
	{ completions }: Terms,
	census: Census,
	{ verdict, over, management }: Outcome,
	suspension: { reason: string; message: string } | undefined,
): Action[] {
	const made: Action[] = [];
	if (management !== undefined && completions !== undefined && census.succeeded >= completions) {
		const late = "running after completion count reached";
		if (census.active.length > management.remove.length)
			made.push(event(job, "Warning", "TooManyActivePods", `Too many active pods ${late}`));
		if (census.succeeded > completions)
			made.push(event(job, "Warning", "TooManySucceededPods", `Too many succeeded pods ${late}`));
	}
	if (suspension !== undefined) made.push(event(job, "Normal", suspension.reason, suspension.message));
	if (over && verdict !== undefined) {
		made.push(
			verdict.type === "FailureTarget"
				? event(job, "Warning", verdict.reason, verdict.message)
				: event(job, "Normal", "Completed", "Job completed"),
		);
	}
	return made;
}
