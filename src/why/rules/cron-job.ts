/** CronJobs: when they run next, and why they did not run. */
import { messageOf } from "../../core/errors.ts";
import { humanDuration } from "../../core/time/age.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import { parseCron } from "../../core/time/cron.ts";
import type { CronJob, Job } from "../../kinds/generated/types.ts";
import { commandsIn } from "../findings/commands.ts";
import { type Evidence, latestEvent } from "../findings/evidence.ts";
import { type Finding, finding, type Subject } from "../findings/finding.ts";
import { jobFindings } from "./job.ts";

export function cronJobFindings(cronJob: CronJob, evidence: Evidence): Finding[] {
	const { metadata, spec, status = {} } = cronJob;
	const about: Subject = { type: "cronjob", name: metadata.name };
	const commands = commandsIn(evidence.namespace);
	const show = [commands.describe("cronjob", metadata.name)];
	const { schedule, timeZone } = spec;
	if (spec.suspend) {
		const resume = `kubectl patch cronjob ${metadata.name} -p '{"spec":{"suspend":false}}'`;
		return [finding(about, "cronSuspended", {}, [resume])];
	}
	let nextMs: number | undefined;
	let dueMs: number | undefined;
	try {
		nextMs = parseCron(schedule).next(evidence.nowMs, timeZone);
		dueMs = parseCron(schedule).next(parseTimestamp(status.lastScheduleTime ?? metadata.creationTimestamp), timeZone);
	} catch (error) {
		return [finding(about, "cronInvalid", { schedule, message: messageOf(error) }, show)];
	}
	const found: Finding[] = [];
	const running = status.active?.[0]?.name;
	const isDue = dueMs !== undefined && dueMs <= evidence.nowMs;
	if (spec.concurrencyPolicy === "Forbid" && running !== undefined && isDue)
		found.push(finding(about, "cronForbidden", { job: running }, [commands.describe("job", running)]));
	const missed = latestEvent(evidence, metadata, "MissSchedule", "TooManyMissedTimes", "FailedCreate");
	if (missed !== undefined) found.push(finding(about, "cronMissed", { message: missed.message ?? "" }, show));
	const last = latestJob(cronJob, evidence);
	if (last !== undefined) found.push(...jobFindings(last, evidence).filter(({ code }) => code !== "jobComplete"));
	const zone = timeZone ?? "UTC";
	if (nextMs === undefined) return [...found, finding(about, "cronNever", { schedule }, show)];
	const next = {
		at: new Date(nextMs).toISOString(),
		// The locale whose dates have the order of ISO 8601.
		local: new Date(nextMs).toLocaleString("sv-SE", { timeZone: zone }),
		wait: humanDuration(nextMs - evidence.nowMs),
	};
	return [...found, finding(about, "cronNext", { ...next, schedule, zone }, show)];
}

function latestJob({ metadata }: CronJob, { jobs }: Evidence): Job | undefined {
	return jobs
		.filter((job) => job.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid))
		.toSorted((a, b) => a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp))
		.at(-1);
}
