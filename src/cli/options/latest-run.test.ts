import { expect, test } from "vitest";
import type { Job } from "../../kinds/generated/types.ts";
import type { Run, RunStatus } from "../../kinds/history/types.ts";
import { hasBegun, isRunExpected, latestRun, startMessage } from "./latest-run.ts";
import { runMatcher } from "./run-name.ts";

const time = (second: number) => `2026-01-01T00:00:0${second}Z`;

function run(jobName: string, second: number, status: Partial<RunStatus> = {}): Run {
	return {
		apiVersion: "history.coxswain.io/v1",
		kind: "Run",
		metadata: { name: `${jobName}-x`, uid: `run-${jobName}`, resourceVersion: "1", creationTimestamp: time(second) },
		spec: { jobName, jobUID: jobName, cronJobName: "nightly" },
		status: { result: "Succeeded", startTime: time(second), ...status },
	};
}

const job = (name: string, second: number, suspend = false): Job =>
	({
		metadata: {
			name,
			uid: name,
			creationTimestamp: time(second),
			ownerReferences: [{ apiVersion: "batch/v1", kind: "CronJob", name: "nightly", uid: "n" }],
		},
		spec: { suspend },
	}) as Job;

test("runs are named by type and name, or by a name alone", () => {
	const first = run("first", 1);
	for (const name of [
		"cronjob/nightly",
		"cj/nightly",
		"job/first",
		"jobs.batch/first",
		"run/first-x",
		"nightly",
		"first",
	])
		expect(runMatcher(name)(first), name).toBe(true);
	for (const name of ["cronjob/first", "job/nightly", "run/first", "other"])
		expect(runMatcher(name)(first), name).toBe(false);
	expect(() => runMatcher("deployment/first")).toThrow("not deployment/first");
});

test("a run is expected of a Job that is newer than the latest run, until it is written", () => {
	const runs = [run("old", 1), run("new", 3), run("none", 5, { result: "Skipped" })];
	const nightly = runMatcher("cronjob/nightly");
	expect(latestRun(runs, nightly)?.spec.jobName).toBe("new");
	const expected = (jobs: Job[], what = "cronjob/nightly") => isRunExpected(jobs, runs, runMatcher(what));
	expect(expected([job("old", 1), job("new", 3)])).toBe(false);
	expect(expected([job("just", 4)])).toBe(true);
	expect(expected([job("just", 4)], "job/just")).toBe(true);
	expect(expected([job("just", 4)], "job/other")).toBe(false);
	// A suspended Job creates nothing, and the run of an older one was pruned.
	expect(expected([job("just", 4, true), job("pruned", 2)])).toBe(false);
});

test("a run has begun when a container was started, and says why one could not be", () => {
	const attempts = [{ number: 0, exitCode: 128, reason: "StartError", message: "no such program" }];
	const pods = [{ name: "p", uid: "p", phase: "Failed", containers: [{ name: "main", attempts }] }];
	expect(hasBegun(run("a", 1, { result: "Running" }))).toBe(false);
	expect(hasBegun(run("a", 1, { result: "Running", pods }))).toBe(true);
	expect(startMessage(run("a", 1, { result: "Failed", pods }))).toBe("no such program");
	expect(startMessage(run("a", 1))).toBeUndefined();
});
