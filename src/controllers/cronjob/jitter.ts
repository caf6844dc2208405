/** Delays that keep CronJobs with the same schedule from starting simultaneously (docs/self-help.md). */
import type { CronSchedule } from "../../core/time/cron.ts";
import type { CronJob } from "../../kinds/generated/types.ts";
import { jitterMs } from "../../kinds/self-help/annotations.ts";

/**
 * The delay of a scheduled run: always the same for a CronJob and time, less than its jitter, and less than the
 * interval to the next time. Milliseconds.
 */
export function delayMs(cronJob: CronJob, schedule: CronSchedule, atMs: number): number {
	const mostMs = jitterMs(cronJob);
	if (mostMs === 0) return 0;
	const nextMs = schedule.next(atMs) ?? Number.POSITIVE_INFINITY;
	const window = Math.min(mostMs, nextMs - atMs - 1000);
	const { namespace, name } = cronJob.metadata;
	return window <= 0 ? 0 : hash(`${namespace}/${name}/${atMs}`) % window;
}

/** FNV-1a with a final mix: names that differ by a digit should not start at almost the same time. */
function hash(text: string): number {
	let value = 0x811c9dc5;
	for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
	value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
	return (value ^ (value >>> 13)) >>> 0;
}
