/** Which missed runs are caught up, for a CronJob that requests more than the last (docs/self-help.md). */
import type { CronSchedule } from "../../core/time/cron.ts";
import type { CronJob } from "../../kinds/generated/types.ts";
import { lastStartMs } from "./schedule.ts";

/** The maximum number of runs that are caught up, the newest ones; a larger number indicates an error. */
const mostCaughtUp = 100;
/** The number of times to evaluate per step. */
const mostTimes = 10_000;

/** Scheduled times since the last start, oldest first, and at most the newest `mostCaughtUp`. */
export function missedTimes(cronJob: CronJob, schedule: CronSchedule, nowMs: number): number[] {
	for (let fromMs = lastStartMs(cronJob); ; fromMs = Math.ceil((fromMs + nowMs) / 2)) {
		const times: number[] = [];
		let atMs = schedule.next(fromMs);
		for (; atMs !== undefined && atMs <= nowMs && times.length < mostTimes; atMs = schedule.next(atMs))
			times.push(atMs);
		// More times than are needed: continue with the second half of the interval.
		if (times.length < mostTimes) return times.slice(-mostCaughtUp);
	}
}
