import { describe, expect, test } from "vitest";
import type { Job, JobSpec, JobStatus } from "../generated/types.ts";
import { createFrom, texts } from "../testing.ts";
import { jobs } from "./job.ts";

const early = "2026-01-01T00:00:00Z";
const late = "2026-01-01T00:01:00Z";
const conditions = (...types: string[]) => types.map((type) => ({ type, status: "True" }));
const indexed = { completionMode: "Indexed", completions: 5, parallelism: 1 };
const perIndex = { ...indexed, backoffLimitPerIndex: 1 };

function problems(spec: object, old: JobStatus, status: JobStatus): string[] {
	const template = { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "busybox:1" }] } };
	const manifest = { apiVersion: "batch/v1", kind: "Job", metadata: { name: "pi" }, spec: { template, ...spec } };
	// Creating a Job returns a Job.
	const job = createFrom(manifest).object as Job & { spec: JobSpec };
	return texts(jobs.validateStatusUpdate?.({ ...job, status }, { ...job, status: old }) ?? []);
}

describe("a job's status is refused", () => {
	const done = { startTime: early, completionTime: late, conditions: conditions("SuccessCriteriaMet", "Complete") };
	const succeeded = { startTime: early, conditions: conditions("SuccessCriteriaMet") };
	const failing = { startTime: early, conditions: conditions("FailureTarget") };
	const failed = { startTime: early, conditions: conditions("FailureTarget", "Failed") };
	test.each<[string, object, JobStatus, JobStatus, string[]]>([
		[
			"with counts below zero",
			{},
			{},
			{ active: -1 },
			["status.active: Invalid value: -1: must be greater than or equal to 0"],
		],
		[
			"with a pod that waits to be counted twice",
			{},
			{},
			{ uncountedTerminatedPods: { succeeded: ["a", ""], failed: ["a"] } },
			[
				'status.uncountedTerminatedPods.succeeded[1]: Invalid value: "": must not be empty',
				'status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"',
			],
		],
		[
			"as failed and complete",
			{},
			{},
			{ startTime: early, completionTime: early, conditions: conditions("Complete", "Failed") },
			[
				"status.conditions: Invalid value: cannot set Complete=True and Failed=true conditions",
				"status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition",
				"status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
			],
		],
		[
			"as complete that is about to fail",
			{},
			{ ...done, conditions: conditions("Complete") },
			{ ...done, conditions: conditions("Complete", "FailureTarget") },
			["status.conditions: Invalid value: cannot set Complete=True and FailureTarget=true conditions"],
		],
		[
			"as succeeded and about to fail",
			{},
			succeeded,
			{ ...succeeded, conditions: conditions("SuccessCriteriaMet", "FailureTarget") },
			["status.conditions: Invalid value: cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"],
		],
		[
			"as complete without saying since when",
			{},
			succeeded,
			{ ...done, completionTime: undefined },
			["status.completionTime: Required value: completionTime is required for Complete jobs"],
		],
		[
			"as finished without a beginning",
			{},
			{ ...failing, startTime: undefined },
			{ ...failed, startTime: undefined },
			["status.startTime: Required value: startTime is required for finished job"],
		],
		[
			"with an end before the beginning",
			{},
			{ ...succeeded, startTime: late },
			{ ...done, startTime: late, completionTime: early },
			[`status.completionTime: Invalid value: "${early}": completionTime cannot be set before startTime`],
		],
		[
			"with an end while it goes on",
			{},
			{},
			{ completionTime: early },
			[
				`status.completionTime: Invalid value: "${early}": cannot set completionTime when there is no Complete=True condition`,
			],
		],
		[
			"with another end",
			{},
			done,
			{ ...done, completionTime: "2026-01-01T00:02:00Z" },
			['status.completionTime: Invalid value: "2026-01-01T00:02:00Z": completionTime cannot be mutated'],
		],
		[
			"as complete while pods run",
			{},
			{ ...succeeded, active: 1 },
			{ ...done, active: 1 },
			["status.active: Invalid value: 1: active>0 is invalid for finished job"],
		],
		[
			"as failed while pods end",
			{},
			{ ...failing, terminating: 1 },
			{ ...failed, terminating: 1 },
			["status.terminating: Invalid value: 1: terminating>0 is invalid for finished job"],
		],
		[
			"as failed while pods wait to be counted",
			{},
			failing,
			{ ...failed, uncountedTerminatedPods: { failed: ["a"] } },
			[
				'status.uncountedTerminatedPods: Invalid value: {"failed":["a"]}: uncountedTerminatedPods needs to be empty for finished job',
			],
		],
		[
			"when it was complete before",
			{},
			done,
			{ startTime: early },
			[
				"status.conditions: Invalid value: cannot disable the terminal Complete=True condition",
				"status.conditions: Invalid value: cannot disable the SuccessCriteriaMet=True condition",
			],
		],
		[
			"with fewer failures",
			{},
			{ failed: 3 },
			{ failed: 1 },
			["status.failed: Invalid value: 1: cannot decrease the failed counter"],
		],
		[
			"with fewer successes",
			{},
			{ succeeded: 3 },
			{ succeeded: 1 },
			["status.succeeded: Invalid value: 1: cannot decrease the succeeded counter"],
		],
		[
			"with more ready pods than there are",
			{},
			{},
			{ active: 1, ready: 2 },
			["status.ready: Invalid value: 2: cannot set more ready pods than active"],
		],
		[
			"with another beginning",
			{},
			{ startTime: early },
			{ startTime: late },
			["status.startTime: Required value: startTime cannot be removed for unsuspended job"],
		],
		[
			"with indexes where there are none",
			{},
			{},
			{ completedIndexes: "0" },
			[
				'status.completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode',
			],
		],
		[
			"with failed indexes that nobody limits",
			indexed,
			{},
			{ failedIndexes: "0" },
			['status.failedIndexes: Invalid value: "0": cannot set non-null failedIndexes when backoffLimitPerIndex is null'],
		],
		[
			"with indexes that cannot be read",
			perIndex,
			{},
			{ completedIndexes: "x" },
			[
				'status.completedIndexes: Invalid value: "x": error parsing completedIndexes: cannot convert string to integer for index: "x"',
			],
		],
		[
			"with an index that succeeded and failed",
			perIndex,
			{ failedIndexes: "0,2" },
			{ failedIndexes: "0,2", completedIndexes: "1-3" },
			['status.failedIndexes: Invalid value: "0,2": failedIndexes and completedIndexes overlap at index: 2'],
		],
	])("%s", (_name, spec, old, status, expected) => {
		// Removes fields that are undefined.
		const json = (value: JobStatus): JobStatus => JSON.parse(JSON.stringify(value));
		expect(problems(spec, json(old), json(status))).toEqual(expected);
	});
});

describe("a job's status is accepted", () => {
	test.each<[string, object, JobStatus, JobStatus]>([
		["without its beginning while it is suspended", { suspend: true }, { startTime: early }, {}],
		[
			"with a new beginning as it is resumed",
			{},
			{ startTime: early, conditions: conditions("Suspended") },
			{ startTime: late, conditions: [{ type: "Suspended", status: "False" }] },
		],
		[
			"as complete without a beginning where nothing was to be done",
			{ suspend: true, completions: 0 },
			{},
			{ completionTime: early, conditions: conditions("SuccessCriteriaMet", "Complete") },
		],
		[
			"where what is wrong was wrong before",
			indexed,
			{ completedIndexes: "x", failedIndexes: "0", ready: 2, active: 1 },
			{ completedIndexes: "x", failedIndexes: "0", ready: 2, active: 1, succeeded: 1 },
		],
		["with fewer successes of fewer indexes", { ...indexed, completions: 1 }, { succeeded: 2 }, { succeeded: 1 }],
	])("%s", (_name, spec, old, status) => {
		expect(problems(spec, old, status)).toEqual([]);
	});
});
