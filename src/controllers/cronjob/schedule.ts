/** When a cron job is due, has been due, and will be next. */

import { parseTimestamp } from "../../core/clock.ts";
import type { CronSchedule } from "../../core/cron.ts";
import type { CronJob } from "../../kinds/generated/types.ts";

/**
 * A schedule is due no more often than its text says; beyond so many missed starts something is wrong, and it is said.
 */
const manyMissed = 100;
/** Timers may fire slightly early, and a schedule evaluated too early is not due. */
const slackMs = 100;

export interface Due {
	/**
	 * The most recent time at which it should have started and has not; epoch milliseconds. Earlier ones are passed over.
	 */
	atMs: number | undefined;
	/** More starts were missed than could be meant. */
	tooMany: boolean;
}

/**
 * The starts since the last one, or since the cron job exists. Those before the starting deadline do not count as
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

/** The schedule names a day that no year has, such as the 31st of February. */
export function isNeverDue(cronJob: CronJob, schedule: CronSchedule): boolean {
	return schedule.next(lastStartMs(cronJob)) === undefined;
}

/** When it was started last, or made; epoch milliseconds. */
export function lastStartMs({ status, metadata }: CronJob): number {
	return parseTimestamp(status?.lastScheduleTime ?? metadata.creationTimestamp);
}

/**
 * The last time in (`sinceMs`, `nowMs`]. Walks forward through short stretches and jumps close to the end of long ones,
 * so that a schedule that slept for years costs no more than one that slept for a day.
 */
function mostRecent(schedule: CronSchedule, sinceMs: number, nowMs: number): number | undefined {
	const firstMs = schedule.next(sinceMs);
	if (firstMs === undefined || firstMs > nowMs) return undefined;
	const secondMs = schedule.next(firstMs);
	if (secondMs === undefined || secondMs > nowMs) return firstMs;
	let lastMs = secondMs;
	// An interval counts from where it began: jump whole steps only. For other schedules any place will do.
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
