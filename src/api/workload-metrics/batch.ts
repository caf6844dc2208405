import { conditionOf } from "../../core/conditions.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import { type CronSchedule, parseCron } from "../../core/time/cron.ts";
import { cronJobs } from "../../kinds/batch/cronjob.ts";
import { jobs } from "../../kinds/batch/job.ts";
import type { CronJob, Job } from "../../kinds/generated/types.ts";
import { addStatus, created, type Family, info, ofKind, owners, resourceVersion, unixTime, value } from "./family.ts";

const failureReasons = ["BackoffLimitExceeded", "DeadlineExceeded", "Evicted"];

export const jobFamilies = ofKind(jobs, ({ metadata: { namespace, name } }) => ({ namespace, job_name: name }), [
	info("kube_job_info", "Information about the Job"),
	owners("job"),
	created("job"),
	value("kube_job_spec_parallelism", "Maximum number of pods at the same time", ({ spec }) => spec.parallelism),
	value("kube_job_spec_completions", "Number of pods that must succeed", ({ spec }) => spec.completions),
	value("kube_job_spec_active_deadline_seconds", "Deadline in seconds", ({ spec }) => spec.activeDeadlineSeconds),
	value("kube_job_status_active", "Number of active pods", ({ status }) => status?.active ?? 0),
	value("kube_job_status_ready", "Number of ready pods", ({ status }) => status?.ready),
	value("kube_job_status_succeeded", "Number of succeeded pods", ({ status }) => status?.succeeded ?? 0),
	{
		name: "kube_job_status_failed",
		help: "Number of failed pods; with the reason if the Job failed",
		each({ status }, add) {
			const failed = status?.failed ?? 0;
			if (failed === 0) {
				add(0);
				return;
			}
			const { reason = "" } = conditionOf({ status }, "Failed") ?? {};
			if (conditionOf({ status }, "Failed") !== undefined)
				for (const one of failureReasons) add(one === reason ? 1 : 0, { reason: one });
			if (!failureReasons.includes(reason)) add(failed, { reason: "" });
		},
	},
	value("kube_job_status_start_time", "Start time in Unix time", ({ status }) => unixTime(status?.startTime)),
	value("kube_job_status_completion_time", "Completion time in Unix time", ({ status }) =>
		unixTime(status?.completionTime),
	),
	value("kube_job_status_suspended", "Whether it is suspended", ({ status }) => {
		const suspended = conditionOf({ status }, "Suspended");
		return suspended && (suspended.status === "True" ? 1 : 0);
	}),
	ended("kube_job_complete", "Whether it is complete", "Complete"),
	ended("kube_job_failed", "Whether it has failed", "Failed"),
]);

function ended(name: string, help: string, type: string): Family<Job> {
	return {
		name,
		help,
		each({ status }, add) {
			const found = conditionOf({ status }, type);
			if (found !== undefined) addStatus(add, found.status, "condition");
		},
	};
}

export const cronJobFamilies = ofKind(cronJobs, ({ metadata: { namespace, name } }) => ({ namespace, cronjob: name }), [
	info("kube_cronjob_info", "Information about the CronJob", ({ spec }) => ({
		schedule: spec.schedule,
		concurrency_policy: spec.concurrencyPolicy,
		timezone: spec.timeZone ?? "local",
	})),
	created("cronjob"),
	value("kube_cronjob_spec_suspend", "Whether it is suspended", ({ spec }) => (spec.suspend === true ? 1 : 0)),
	value(
		"kube_cronjob_spec_starting_deadline_seconds",
		"Deadline for late starts in seconds",
		({ spec }) => spec.startingDeadlineSeconds,
	),
	value(
		"kube_cronjob_spec_successful_job_history_limit",
		"Number of successful Jobs to keep",
		({ spec }) => spec.successfulJobsHistoryLimit,
	),
	value(
		"kube_cronjob_spec_failed_job_history_limit",
		"Number of failed Jobs to keep",
		({ spec }) => spec.failedJobsHistoryLimit,
	),
	value("kube_cronjob_status_active", "Number of running Jobs", ({ status }) => status?.active?.length ?? 0),
	value("kube_cronjob_status_last_schedule_time", "Last scheduled time in Unix time", ({ status }) =>
		unixTime(status?.lastScheduleTime),
	),
	value(
		"kube_cronjob_status_last_successful_time",
		"Last time at which one of its Jobs succeeded, in Unix time",
		({ status }) => unixTime(status?.lastSuccessfulTime),
	),
	value("kube_cronjob_next_schedule_time", "Next scheduled time after its last start, in Unix time", nextTime),
	value("kube_cronjob_schedule_invalid", "The schedule cannot be read", (cronJob) =>
		scheduleOf(cronJob) === undefined ? 1 : undefined,
	),
	resourceVersion("cronjob"),
]);

function scheduleOf({ spec: { schedule, timeZone } }: CronJob): CronSchedule | undefined {
	try {
		// A zone within the schedule wins.
		return parseCron(timeZone === undefined || schedule.includes("TZ") ? schedule : `TZ=${timeZone} ${schedule}`);
	} catch {
		return undefined;
	}
}

function nextTime(cronJob: CronJob): number | undefined {
	const { spec, status, metadata } = cronJob;
	if (spec.suspend === true) return undefined;
	const nextMs = scheduleOf(cronJob)?.next(parseTimestamp(status?.lastScheduleTime ?? metadata.creationTimestamp));
	return nextMs === undefined ? undefined : Math.floor(nextMs / 1000);
}
