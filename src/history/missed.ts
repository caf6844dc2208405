/** Which runs of a CronJob did not happen, and why. Pure. */
import { parseTimestamp, timestamp } from "../core/time/clock.ts";
import type { CronSchedule } from "../core/time/cron.ts";
import { scheduleOf } from "../kinds/batch/cronjob-jobs.ts";
import type { CronJob } from "../kinds/generated/types.ts";
import type { Run } from "../kinds/history/types.ts";
import { catchesUp } from "../kinds/self-help/annotations.ts";
import { runName, runUid } from "./records/keys.ts";

export type SkipReason =
	| "Suspended"
	| "ConcurrencyForbidden"
	| "StartingDeadlineExceeded"
	| "ClusterDown"
	/** Its time passed, and the next one came, without a Job: creating it failed, or the controller was not running. */
	| "NotStarted";

/** The known runs of a CronJob. */
export interface Schedule {
	cronJob: CronJob;
	/** All times up to this one have been processed; epoch milliseconds. */
	accountedMs: number;
	/** Later times for which there was a Job. */
	started: ReadonlySet<number>;
	/** When the cluster was not running. */
	down?: { sinceMs: number; untilMs: number } | undefined;
}

export interface Skip {
	atMs: number;
	reason: SkipReason;
}

export interface Account {
	skips: Skip[];
	accountedMs: number;
	/** When to check again; undefined: never in the current state. */
	nextMs: number | undefined;
}

/** The Job of a time must exist after this delay, unless something prevents its start. */
export const graceMs = 5000;
/** The interval of checks while it is unknown whether a run will still happen. */
const lookAgainMs = 30_000;
/** The maximum number of times processed at once: one per minute for a month. */
const mostTimes = 50_000;

/** The schedule, if it has fixed times: `@every` counts from the last start, so no time can be missed. */
export function timesOf(cronJob: CronJob): CronSchedule | undefined {
	if (cronJob.metadata.deletionTimestamp !== undefined || cronJob.spec.schedule.includes("@every")) return undefined;
	try {
		return scheduleOf(cronJob);
	} catch {
		return undefined;
	}
}

/** Processes the times that have passed. */
export function account({ cronJob, accountedMs, started, down }: Schedule, nowMs: number): Account {
	const times = timesOf(cronJob);
	if (times === undefined) return { skips: [], accountedMs: nowMs, nextMs: undefined };
	const skips: Skip[] = [];
	let doneMs = accountedMs;
	let atMs = times.next(accountedMs);
	for (let count = 0; atMs !== undefined && atMs + graceMs <= nowMs && count < mostTimes; count++) {
		const nextMs = times.next(atMs);
		if (!started.has(atMs)) {
			const reason = reasonFor(cronJob, atMs, {
				down,
				nowMs,
				isPassed: nextMs !== undefined && nextMs <= nowMs,
				isOvertaken: catchesUp(cronJob) && [...started].some((other) => other > (atMs ?? 0)),
			});
			if (reason === undefined) return { skips, accountedMs: doneMs, nextMs: nowMs + lookAgainMs };
			skips.push({ atMs, reason });
		}
		doneMs = atMs;
		atMs = nextMs;
	}
	return { skips, accountedMs: doneMs, nextMs: atMs === undefined ? undefined : atMs + graceMs };
}

/** Undefined while it may still start. */
function reasonFor(
	cronJob: CronJob,
	atMs: number,
	{
		down,
		nowMs,
		isPassed,
		isOvertaken,
	}: { down: Schedule["down"]; nowMs: number; isPassed: boolean; isOvertaken: boolean },
): SkipReason | undefined {
	const { spec, status } = cronJob;
	if (spec.suspend === true) return "Suspended";
	const isLate = spec.startingDeadlineSeconds !== undefined && atMs + spec.startingDeadlineSeconds * 1000 < nowMs;
	// Missed times are caught up one after the other, oldest first.
	if (catchesUp(cronJob) && !isLate && !isOvertaken) return undefined;
	if (down !== undefined && atMs > down.sinceMs && atMs < down.untilMs) return "ClusterDown";
	if (spec.concurrencyPolicy === "Forbid" && (status?.active?.length ?? 0) > 0) return "ConcurrencyForbidden";
	if (isLate) return "StartingDeadlineExceeded";
	return isPassed ? "NotStarted" : undefined;
}

/**
 * The record of a run that did not happen.
 * @param before the latest such record; it counts this run, too, if the reason is the same
 */
export function skipRun(
	cronJob: CronJob,
	{ atMs, reason }: Skip,
	before: Run | undefined,
	down: Schedule["down"],
	nowMs: number,
): Run {
	const { name, namespace = "", uid } = cronJob.metadata;
	const at = timestamp(atMs);
	const same = before?.status.reason === reason ? before : undefined;
	const first = same?.status.skipped?.firstScheduledTime ?? at;
	const count = (same?.status.skipped?.count ?? 0) + 1;
	const wasDown =
		reason === "ClusterDown" && down !== undefined
			? { downSince: timestamp(down.sinceMs), downUntil: timestamp(down.untilMs) }
			: undefined;
	const identity = `${uid} ${first} ${reason}`;
	return {
		apiVersion: "history.coxswain.io/v1",
		kind: "Run",
		metadata: {
			name: runName(`${name}-skipped`, identity),
			namespace,
			uid: runUid(identity),
			creationTimestamp: same?.metadata.creationTimestamp ?? timestamp(nowMs),
			labels: { ...cronJob.metadata.labels, cronjob: name },
			// The stored value does not contain the resourceVersion.
		} as unknown as Run["metadata"],
		spec: { cronJobName: name, cronJobUID: uid, scheduledTime: first },
		status: {
			result: "Skipped",
			reason,
			message: messageOf(cronJob, reason, wasDown),
			skipped: { count, firstScheduledTime: first, lastScheduledTime: at, ...wasDown },
		},
	};
}

/** The record without its last time, for which there is a Job after all; undefined if no time is left. */
export function withoutLast(run: Run, cronJob: CronJob): Run | undefined {
	const { skipped } = run.status;
	const times = timesOf(cronJob);
	if (skipped === undefined || skipped.count <= 1 || times === undefined) return undefined;
	let lastMs = parseTimestamp(skipped.firstScheduledTime);
	for (let count = 2; count < skipped.count; count++) lastMs = times.next(lastMs) ?? lastMs;
	const left = { ...skipped, count: skipped.count - 1, lastScheduledTime: timestamp(lastMs) };
	return { ...run, status: { ...run.status, skipped: left } };
}

function messageOf(
	{ spec }: CronJob,
	reason: SkipReason,
	down: { downSince: string; downUntil: string } | undefined,
): string {
	switch (reason) {
		case "Suspended":
			return "the CronJob was suspended";
		case "ConcurrencyForbidden":
			return "an earlier run was still going on, and concurrencyPolicy is Forbid";
		case "StartingDeadlineExceeded":
			return `it could not start within startingDeadlineSeconds (${spec.startingDeadlineSeconds})`;
		case "ClusterDown":
			return `the cluster was down from ${down?.downSince} to ${down?.downUntil}`;
		case "NotStarted":
			return "no Job was made before the next run was due; the CronJob's events may say why";
	}
}
