/** The plan of a CronJob (Kubernetes documentation, "CronJob"). */

import { isTrue } from "../../core/conditions.ts";
import { semanticEqual } from "../../core/equal.ts";
import { parseTimestamp, timestamp } from "../../core/time/clock.ts";
import { CronError, type CronSchedule, isTimeZone } from "../../core/time/cron.ts";
import { cronJobs } from "../../kinds/batch/cronjob.ts";
import { cronJobLabel, jobName, namesZone, scheduleOf } from "../../kinds/batch/cronjob-jobs.ts";
import { jobs } from "../../kinds/batch/job.ts";
import { isJobFinished } from "../../kinds/batch/job-finished.ts";
import type { CronJob, CronJobStatus, Job, ObjectReference } from "../../kinds/generated/types.ts";
import { catchesUp, startedByAnnotation } from "../../kinds/self-help/annotations.ts";
import { create, event, patch, remove, updateStatus } from "../runtime/actions.ts";
import type { Action, EventText, Plan, PlanContext } from "../runtime/controller.ts";
import { missedTimes } from "./catch-up.ts";
import { delayMs } from "./jitter.ts";
import { jobFor, scheduledMsOf } from "./job.ts";
import { dueStart, isNeverDue, nextLookMs } from "./schedule.ts";

export interface CronJobState {
	cronJob: CronJob;
	/** Jobs that the CronJob controls. */
	jobs: readonly Job[];
}

/** The plan under construction. */
interface Draft {
	cronJob: CronJob;
	children: readonly Job[];
	active: ObjectReference[];
	status: CronJobStatus;
	/** Adds an Event at the end. */
	say(type: EventText["type"], reason: string, message: string): void;
}

/**
 * Records the state of the Jobs, removes old ones, and starts one when it is due. The reference to a new Job is added
 * to the status when the informer cache shows the Job, which is identified by its name and annotation even if the start
 * was interrupted.
 */
export function plan({ cronJob, jobs: children }: CronJobState, { nowMs, failure }: PlanContext): Plan {
	const said: Action[] = [];
	const draft: Draft = {
		cronJob,
		children,
		active: [...(cronJob.status?.active ?? [])],
		status: { ...cronJob.status },
		say: (type, reason, message) => said.push(event(cronJob, type, reason, message)),
	};
	takeDown(draft);
	const old = removeOld(draft);
	const labels = children.filter(({ metadata }) => metadata.labels?.[cronJobLabel] === undefined);
	const observed = writeStatus(draft);
	const started = cronJob.metadata.deletionTimestamp === undefined ? start(draft, nowMs) : { actions: [] };
	// While creating fails, the observed state is written first.
	const starting =
		failure?.do === "create" && observed.length > 0 ? observed : [...started.actions, ...writeStatus(draft)];
	const actions = [...starting, ...labels.map((job) => label(job, cronJob)), ...old, ...said];
	return started.againMs === undefined ? { actions } : { actions, requeueAtMs: started.againMs };
}

/** The changes of the Jobs since the status was written. */
function takeDown(draft: Draft): void {
	const { cronJob, children, status, say } = draft;
	const existing = new Set(children.map(({ metadata }) => metadata.uid));
	const listed = new Set(draft.active.map(({ uid }) => uid));
	for (const job of children) {
		const { name, uid } = job.metadata;
		const finished = isJobFinished(job);
		const scheduledMs = scheduledMsOf(cronJob, job);
		const isNew = scheduledMs !== undefined && scheduledMs > parseTimestamp(status.lastScheduleTime ?? timestamp(0));
		if (isNew) status.lastScheduleTime = timestamp(scheduledMs);
		if (!finished && !listed.has(uid)) {
			if (scheduledMs !== undefined) draft.active.push(referenceTo(job));
			// `cox run` has recorded its own Event.
			else if (job.metadata.annotations?.[startedByAnnotation] === undefined)
				say("Warning", "UnexpectedJob", `Saw a job that the controller did not create or forgot: ${name}`);
		}
		if (finished && (listed.has(uid) || isNew)) {
			forget(draft, uid);
			const condition = isTrue(job, "Complete") ? "Complete" : "Failed";
			say("Normal", "SawCompletedJob", `Saw completed job: ${name}, condition: ${condition}`);
		}
		const { completionTime } = job.status ?? {};
		if (isTrue(job, "Complete") && completionTime !== undefined) {
			if (status.lastSuccessfulTime === undefined || completionTime > status.lastSuccessfulTime)
				status.lastSuccessfulTime = completionTime;
		}
	}
	for (const { uid, name } of [...draft.active]) {
		if (uid !== undefined && existing.has(uid)) continue;
		forget(draft, uid);
		say("Normal", "MissingJob", `Active job went missing: ${name}`);
	}
}

/** The label also finds Jobs that were created manually (`kubectl create job --from`). */
function label(job: Job, cronJob: CronJob): Action {
	const { namespace, name, uid } = job.metadata;
	const metadata = { uid, labels: { [cronJobLabel]: cronJob.metadata.name } };
	return patch(jobs, { namespace, name }, { type: "merge", patch: { metadata } }, { orGone: true });
}

function forget(draft: Draft, uid: string | undefined): void {
	draft.active = draft.active.filter((reference) => reference.uid !== uid);
}

function referenceTo({ apiVersion, kind, metadata }: Job): ObjectReference {
	const { namespace, name, uid, resourceVersion } = metadata;
	return { apiVersion, kind, namespace, name, uid, resourceVersion };
}

/** Keeps the newest finished Jobs, up to the history limits. */
function removeOld(draft: Draft): Action[] {
	const actions: Action[] = [];
	const { failedJobsHistoryLimit = 1, successfulJobsHistoryLimit = 3 } = draft.cronJob.spec;
	const kinds = [
		{ type: "Complete", limit: successfulJobsHistoryLimit },
		{ type: "Failed", limit: failedJobsHistoryLimit },
	];
	for (const { type, limit } of kinds) {
		const finished = draft.children
			.filter((job) => isTrue(job, type) && job.metadata.deletionTimestamp === undefined)
			.sort(byStart);
		for (const job of finished.slice(0, Math.max(finished.length - limit, 0))) {
			forget(draft, job.metadata.uid);
			actions.push(deleteJob(draft.cronJob, job));
		}
	}
	return actions;
}

function byStart(left: Job, right: Job): number {
	const [first, second] = [left.status?.startTime ?? "9", right.status?.startTime ?? "9"];
	if (first !== second) return first < second ? -1 : 1;
	return left.metadata.name < right.metadata.name ? -1 : 1;
}

function deleteJob(cronJob: CronJob, job: Job): Action {
	return remove(jobs, job, {
		options: { propagationPolicy: "Background", preconditions: { uid: job.metadata.uid } },
		event: { regarding: cronJob, type: "Normal", reason: "SuccessfulDelete", message: "Deleted job {name}" },
		failureEvent: { regarding: cronJob, type: "Warning", reason: "FailedDelete", message: "Deleted job: {error}" },
	});
}

interface Start {
	actions: Action[];
	/** When to sync again, in epoch milliseconds. */
	againMs?: number | undefined;
}

/** Starts what is due, and records the time in the draft's status. */
function start(draft: Draft, nowMs: number): Start {
	const { cronJob, status, say } = draft;
	const { suspend, startingDeadlineSeconds, concurrencyPolicy } = cronJob.spec;
	if (suspend === true) return { actions: [] };
	const schedule = usableSchedule(draft);
	if (schedule === undefined) return { actions: [] };
	const seen = { ...cronJob, status };
	if (isNeverDue(seen, schedule)) {
		const why = "time difference between two schedules is less than 1 second";
		say("Warning", "InvalidSchedule", `invalid schedule: ${cronJob.spec.schedule} : ${why}`);
		return { actions: [] };
	}
	const { atMs, tooMany } = dueStart(seen, schedule, nowMs);
	if (tooMany) {
		const remedy = "Set or decrease .spec.startingDeadlineSeconds or check clock skew";
		say("Warning", "TooManyMissedTimes", `too many missed start times. ${remedy}`);
	}
	const againMs = nextLookMs(seen, schedule, nowMs);
	if (catchesUp(cronJob)) return catchUp(draft, schedule, { againMs, nowMs });
	// A Job for that time is already running, regardless of who created it.
	if (atMs === undefined || draft.active.some(({ name }) => name === jobName(cronJob, atMs)))
		return { actions: [], againMs };
	const startMs = atMs + delayMs(cronJob, schedule, atMs);
	if (startMs > nowMs) return { actions: [], againMs: startMs };
	if (startingDeadlineSeconds !== undefined && startMs + startingDeadlineSeconds * 1000 < nowMs) {
		sayMissed(draft, atMs);
		return { actions: [], againMs };
	}
	if (concurrencyPolicy === "Forbid" && draft.active.length > 0) {
		sayForbidden(draft);
		return { actions: [], againMs };
	}
	const replaced = concurrencyPolicy === "Replace" ? replaceActive(draft) : [];
	status.lastScheduleTime = timestamp(atMs);
	return { actions: [...replaced, createJob(cronJob, atMs)], againMs };
}

function sayMissed({ say }: Draft, atMs: number, before = 0): void {
	const others = before === 0 ? "" : `, and ${before} before it`;
	say("Warning", "MissSchedule", `Missed scheduled time to start a job: ${rfc1123(atMs)}${others}`);
}

function sayForbidden({ say }: Draft): void {
	const why = "prior execution is running and concurrency policy is Forbid";
	say("Normal", "JobAlreadyActive", `Not starting job because ${why}`);
}

/**
 * Starts the first run that was missed and can still start. The others follow, plan by plan: only the last start
 * records which runs were caught up. If runs must not overlap, each waits for the previous one.
 */
function catchUp(
	draft: Draft,
	schedule: CronSchedule,
	{ againMs, nowMs }: { againMs: number | undefined; nowMs: number },
): Start {
	const { cronJob, status } = draft;
	const { startingDeadlineSeconds: deadline = Number.POSITIVE_INFINITY, concurrencyPolicy } = cronJob.spec;
	const late: number[] = [];
	const start: Start = { actions: [], againMs };
	for (const atMs of missedTimes({ ...cronJob, status }, schedule, nowMs)) {
		const startMs = atMs + delayMs(cronJob, schedule, atMs);
		if (startMs + deadline * 1000 < nowMs) {
			late.push(atMs);
			continue;
		}
		if (startMs > nowMs) start.againMs = startMs;
		else if (concurrencyPolicy === "Forbid" && draft.active.length > 0) sayForbidden(draft);
		else {
			status.lastScheduleTime = timestamp(atMs);
			start.actions.push(createJob(cronJob, atMs));
			start.againMs = nowMs;
		}
		break;
	}
	const lastLateMs = late.at(-1);
	if (lastLateMs !== undefined) sayMissed(draft, lastLateMs, late.length - 1);
	return start;
}

function createJob(cronJob: CronJob, scheduledMs: number): Action {
	return create(jobs, jobFor(cronJob, scheduledMs), {
		orExists: true,
		event: { regarding: cronJob, type: "Normal", reason: "SuccessfulCreate", message: "Created job {name}" },
		failureEvent: {
			regarding: cronJob,
			type: "Warning",
			reason: "FailedCreate",
			message: "Error creating job: {error}",
		},
	});
}

/** Undefined if the time zone or the schedule is invalid: nothing happens until they are changed. */
function usableSchedule({ cronJob, say }: Draft): CronSchedule | undefined {
	const { timeZone, schedule } = cronJob.spec;
	if (timeZone !== undefined && !isTimeZone(timeZone)) {
		const why = `invalid timeZone: ${JSON.stringify(timeZone)}: unknown time zone ${timeZone}`;
		say("Warning", "UnknownTimeZone", why);
		return undefined;
	}
	if (namesZone(cronJob)) {
		const where = "see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details";
		const what = `CRON_TZ or TZ used in schedule ${JSON.stringify(schedule)} is not officially supported`;
		say("Warning", "UnsupportedSchedule", `${what}, ${where}`);
	}
	try {
		return scheduleOf(cronJob);
	} catch (error) {
		if (!(error instanceof CronError)) throw error;
		say("Warning", "UnparseableSchedule", `unparseable schedule: ${JSON.stringify(schedule)} : ${error.message}`);
		return undefined;
	}
}

function replaceActive(draft: Draft): Action[] {
	const active = new Set(draft.active.map(({ uid }) => uid));
	draft.active = [];
	return draft.children.filter(({ metadata }) => active.has(metadata.uid)).map((job) => deleteJob(draft.cronJob, job));
}

function writeStatus({ cronJob, active, status }: Draft): Action[] {
	const { active: _, ...rest } = status;
	const next: CronJobStatus = active.length === 0 ? rest : { ...rest, active };
	const before = cronJob.status ?? {};
	const same =
		next.lastScheduleTime === before.lastScheduleTime &&
		next.lastSuccessfulTime === before.lastSuccessfulTime &&
		semanticEqual(active, before.active);
	return same ? [] : [updateStatus(cronJobs, { ...cronJob, status: next })];
}

/** `Mon, 02 Jan 2006 15:04:05 +0000` */
function rfc1123(epochMs: number): string {
	return new Date(epochMs).toUTCString().replace("GMT", "+0000");
}
