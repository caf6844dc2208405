/** Which run of several is shown, and whether a newer one is about to be written. Pure. */
import { parseTimestamp } from "../../core/clock.ts";
import type { Job } from "../../kinds/generated/types.ts";
import type { Run } from "../../kinds/history/types.ts";
import type { RunMatcher } from "./run-name.ts";

/** Epoch milliseconds of the start, or of when it should have been. */
export function startMs({ metadata, status }: Run): number {
	return parseTimestamp(status.startTime ?? status.skipped?.lastScheduledTime ?? metadata.creationTimestamp);
}

/** The newest of those that did happen. */
export function latestRun(runs: readonly Run[], isWanted: RunMatcher): Run | undefined {
	return runs
		.filter((run) => run.status.result !== "Skipped" && isWanted(run))
		.sort((one, other) => startMs(other) - startMs(one))[0];
}

/** Whether a container has been started, or none will be. */
export function hasBegun({ status }: Run): boolean {
	const containers = (status.pods ?? []).flatMap(({ containers = [] }) => containers);
	return status.result !== "Running" || containers.some(({ attempts = [] }) => attempts.length > 0);
}

/**
 * Whether there is a Job, newer than the latest run, whose run is not written yet: that happens seconds after its
 * start.
 */
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

/** Why the last container to end could not be started; undefined where it could. */
export function startMessage({ status }: Run): string | undefined {
	const containers = (status.pods ?? []).flatMap(({ containers = [] }) => containers);
	const last = containers.flatMap(({ attempts = [] }) => attempts).at(-1);
	return last?.reason === "StartError" ? last.message : undefined;
}
