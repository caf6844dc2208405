/**
 * Which of the runs that were missed are made up for, where a cron job asks for more than the last (docs/self-help.md).
 */
import type { CronSchedule } from "../../core/cron.ts";
import type { CronJob } from "../../kinds/generated/types.ts";
import { lastStartMs } from "./schedule.ts";

/** As many runs are made up for, the newest ones; beyond that something is wrong. */
const mostCaughtUp = 100;
/** The number of times to evaluate per step. */
const mostTimes = 10_000;

/** Times since the last start that have come, the oldest first; of more than `mostCaughtUp` the newest. */
export function missedTimes(cronJob: CronJob, schedule: CronSchedule, nowMs: number): number[] {
	for (let fromMs = lastStartMs(cronJob); ; fromMs = Math.ceil((fromMs + nowMs) / 2)) {
		const times: number[] = [];
		let atMs = schedule.next(fromMs);
		for (; atMs !== undefined && atMs <= nowMs && times.length < mostTimes; atMs = schedule.next(atMs))
			times.push(atMs);
		// So many that those before do not count: look at the second half of the time.
		if (times.length < mostTimes) return times.slice(-mostCaughtUp);
	}
}
