/** The Jobs that a CronJob creates. */

import { controllerReference, type Draft } from "../../core/object.ts";
import { timestamp } from "../../core/time/clock.ts";
import { cronJobLabel, jobName, scheduledAnnotation } from "../../kinds/batch/cronjob-jobs.ts";
import type { CronJob, Job } from "../../kinds/generated/types.ts";
import { afterAnnotation } from "../../kinds/self-help/after.ts";

export function jobFor(cronJob: CronJob, scheduledMs: number): Draft<Job> {
	const { metadata, spec } = cronJob.spec.jobTemplate;
	const after = cronJob.metadata.annotations?.[afterAnnotation];
	return {
		metadata: {
			name: jobName(cronJob, scheduledMs),
			namespace: cronJob.metadata.namespace,
			labels: { [cronJobLabel]: cronJob.metadata.name, ...metadata?.labels },
			annotations: {
				...(after === undefined ? {} : { [afterAnnotation]: after }),
				...metadata?.annotations,
				[scheduledAnnotation]: zonedTimestamp(scheduledMs, cronJob.spec.timeZone),
			},
			ownerReferences: [controllerReference(cronJob)],
		},
		spec,
	};
}

/** The scheduled time of a Job that the CronJob created; undefined for other Jobs. */
export function scheduledMsOf(cronJob: CronJob, job: Job): number | undefined {
	const text = job.metadata.annotations?.[scheduledAnnotation];
	if (text === undefined) return undefined;
	const scheduledMs = Date.parse(text);
	return job.metadata.name === jobName(cronJob, scheduledMs) ? scheduledMs : undefined;
}

/** `2026-03-29T03:30:00+02:00`; with a Z in UTC. */
function zonedTimestamp(epochMs: number, timeZone: string | undefined): string {
	if (timeZone === undefined || timeZone === "" || timeZone === "UTC") return timestamp(epochMs);
	const format = new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" });
	const name = format.formatToParts(epochMs).find(({ type }) => type === "timeZoneName")?.value ?? "GMT";
	const offset = /^GMT([+-])(\d\d):(\d\d)/.exec(name);
	if (offset === null) return timestamp(epochMs);
	const [, sign, hours, minutes] = offset;
	const offsetMs = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
	return `${timestamp(epochMs + offsetMs).slice(0, -1)}${sign}${hours}:${minutes}`;
}
