/** Selects the run to show, and determines whether a newer one is expected. Pure. */
import { parseTimestamp } from "../../core/time/clock.ts";
import type { Job } from "../../kinds/generated/types.ts";
import type { Run } from "../../kinds/history/types.ts";
import type { RunMatcher } from "./run-name.ts";

/** Start of the run, or the time it was scheduled for, in epoch milliseconds. */
export function startMs({ metadata, status }: Run): number {
	return parseTimestamp(status.startTime ?? status.skipped?.lastScheduledTime ?? metadata.creationTimestamp);
}

/** The newest run that happened. */
export function latestRun(runs: readonly Run[], isWanted: RunMatcher): Run | undefined {
	return runs
		.filter((run) => run.status.result !== "Skipped" && isWanted(run))
		.sort((one, other) => startMs(other) - startMs(one))[0];
}

/** Whether a container has started, or none will. */
export function hasBegun({ status }: Run): boolean {
	const containers = (status.pods ?? []).flatMap(({ containers = [] }) => containers);
	return status.result !== "Running" || containers.some(({ attempts = [] }) => attempts.length > 0);
}

/** Whether the run of a Job that is newer than the latest run is not recorded yet, which takes a few seconds. */
export function isRunExpected(jobs: readonly Job[], runs: readonly Run[], isWanted: RunMatcher): boolean {
	const written = new Set(runs.map(({ spec }) => spec.jobUID));
	const latest = latestRun(runs, isWanted);
	const sinceMs = latest === undefined ? 0 : startMs(latest);
	return jobs.some(({ metadata, spec }) => {
		const cronJobName = metadata.ownerReferences?.find(({ kind }) => kind === "CronJob")?.name;
		const run = { metadata: { ...metadata, name: "" }, spec: { jobName: metadata.name, cronJobName } };
		const isNew = parseTimestamp(metadata.creationTimestamp) >= sinceMs && !written.has(metadata.uid);
		return !spec.suspend && isNew && isWanted(run);
	});
}

/** Why the last container to terminate could not be started; undefined if it started. */
export function startMessage({ status }: Run): string | undefined {
	const containers = (status.pods ?? []).flatMap(({ containers = [] }) => containers);
	const last = containers.flatMap(({ attempts = [] }) => attempts).at(-1);
	return last?.reason === "StartError" ? last.message : undefined;
}
