/** When a CronJob is due, was due, and will be due next. */

import { parseTimestamp } from "../../core/time/clock.ts";
import type { CronSchedule } from "../../core/time/cron.ts";
import type { CronJob } from "../../kinds/generated/types.ts";

/** More missed starts than this are reported, because they indicate an error. */
const manyMissed = 100;
/** Timers may fire slightly early, and a schedule evaluated too early is not due. */
const slackMs = 100;

export interface Due {
	/**
	 * The most recent time at which it should have started and has not, in epoch milliseconds. Earlier ones are skipped.
	 */
	atMs: number | undefined;
	/** More starts were missed than is plausible. */
	tooMany: boolean;
}

/**
 * The starts since the last one, or since the CronJob was created. Those before the starting deadline do not count as
 * missed. An interval (`@every`) counts from the last start.
 */
export function dueStart(cronJob: CronJob, schedule: CronSchedule, nowMs: number): Due {
	const deadline = cronJob.spec.startingDeadlineSeconds;
	const lastMs = lastStartMs(cronJob);
	const countedFromMs = Math.max(lastMs, deadline === undefined ? 0 : nowMs - deadline * 1000);
	return {
		atMs: mostRecent(schedule, lastMs, nowMs),
		tooMany: missedMoreThan(manyMissed, schedule, countedFromMs, nowMs),
	};
}

/** When to sync the CronJob again; undefined if it is never due again. */
export function nextLookMs(cronJob: CronJob, schedule: CronSchedule, nowMs: number): number | undefined {
	const lastMs = lastStartMs(cronJob);
	const nextMs = schedule.next(mostRecent(schedule, lastMs, nowMs) ?? lastMs);
	return nextMs === undefined ? undefined : nextMs + slackMs;
}

/** The schedule names a date that never occurs, such as February 31. */
export function isNeverDue(cronJob: CronJob, schedule: CronSchedule): boolean {
	return schedule.next(lastStartMs(cronJob)) === undefined;
}

/** The last start, or the creation, in epoch milliseconds. */
export function lastStartMs({ status, metadata }: CronJob): number {
	return parseTimestamp(status?.lastScheduleTime ?? metadata.creationTimestamp);
}

/**
 * The last time in (`sinceMs`, `nowMs`]. Short intervals are walked through; in long ones the search jumps near the
 * end, so that years without a start cost no more than a day.
 */
function mostRecent(schedule: CronSchedule, sinceMs: number, nowMs: number): number | undefined {
	const firstMs = schedule.next(sinceMs);
	if (firstMs === undefined || firstMs > nowMs) return undefined;
	const secondMs = schedule.next(firstMs);
	if (secondMs === undefined || secondMs > nowMs) return firstMs;
	let lastMs = secondMs;
	// An interval counts from its beginning, so jumps are multiples of it. Other schedules allow any jump.
	const stepMs = secondMs - firstMs;
	for (let steps = 2; ; steps *= 4) {
		const fromMs = firstMs + (Math.floor((nowMs - firstMs) / stepMs) - steps) * stepMs;
		const foundMs = schedule.next(Math.max(fromMs, secondMs));
		if (foundMs !== undefined && foundMs <= nowMs) {
			lastMs = foundMs;
			break;
		}
		if (fromMs <= secondMs) return secondMs;
	}
	for (let nextMs = schedule.next(lastMs); nextMs !== undefined && nextMs <= nowMs; nextMs = schedule.next(lastMs))
		lastMs = nextMs;
	return lastMs;
}

function missedMoreThan(limit: number, schedule: CronSchedule, sinceMs: number, nowMs: number): boolean {
	let count = 0;
	for (let at = schedule.next(sinceMs); at !== undefined && at <= nowMs; at = schedule.next(at))
		if (++count > limit) return true;
	return false;
}
