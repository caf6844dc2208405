/** When a CronJob creates Jobs, and how to distinguish these Jobs from others and from each other. */

import type { OwnerReference } from "../../core/object.ts";
import { timestamp } from "../../core/time/clock.ts";
import { type CronSchedule, parseCron } from "../../core/time/cron.ts";
import type { CronJob } from "../generated/types.ts";
import { clockChangesAnnotation } from "../self-help/annotations.ts";

/** RFC 3339 in the CronJob's time zone: the time for which the Job was created. */
export const scheduledAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";
/** An addition to upstream: finds Jobs and pods by the name of their CronJob. */
export const cronJobLabel = "cronjob";

/** The same name for the same time, so that a run cannot start twice. */
export function jobName(cronJob: CronJob, scheduledMs: number): string {
	return `${cronJob.metadata.name}-${Math.floor(scheduledMs / 60_000)}`;
}

/** The CronJob that a Job belongs to, for any kind of reference that clients create (`kubectl create job --from`). */
export function cronJobOf({ ownerReferences }: { ownerReferences?: OwnerReference[] }): OwnerReference | undefined {
	return ownerReferences?.find(({ kind, apiVersion }) => kind === "CronJob" && apiVersion.startsWith("batch/"));
}

/**
 * The time for which a CronJob created the Job, in whole seconds of UTC; undefined for one that was created manually.
 */
export function scheduledTimeOf(annotations: Readonly<Record<string, string>> | undefined): string | undefined {
	const epochMs = Date.parse(annotations?.[scheduledAnnotation] ?? "");
	return Number.isNaN(epochMs) ? undefined : timestamp(epochMs);
}

/**
 * A zone in the schedule takes precedence over spec.timeZone.
 * @throws CronError
 */
export function scheduleOf(cronJob: CronJob): CronSchedule {
	const { schedule, timeZone } = cronJob.spec;
	const changes = cronJob.metadata.annotations?.[clockChangesAnnotation] === "once" ? "once" : "asTheyCome";
	return parseCron(timeZone === undefined || namesZone(cronJob) ? schedule : `TZ=${timeZone} ${schedule}`, changes);
}

/** Whether the schedule itself names a zone, which new CronJobs may not do. */
export function namesZone({ spec }: CronJob): boolean {
	return spec.schedule.includes("TZ");
}
