import { describe, expect, test } from "vitest";
import { parseTimestamp } from "../../core/time/clock.ts";
import type { CronJob, Job, JobSpec, JobStatus } from "../generated/types.ts";
import { cells, createFrom, updateProblems } from "../testing.ts";
import { parseIndexes } from "./job-indexes.ts";

const template = (policy = "Never") => ({
	spec: { restartPolicy: policy, containers: [{ name: "c", image: "busybox:1" }] },
});
const manifest = (spec: object = {}) => ({
	apiVersion: "batch/v1",
	kind: "Job",
	metadata: { name: "pi" },
	spec: { template: template(), ...spec },
});
const stored = (spec: object = {}) => createFrom(manifest(spec)).object as Job;
const problems = (spec: object) => createFrom(manifest(spec)).problems;
const withStatus = (job: Job, status: JobStatus): Job => ({ ...job, status });

test("a new job selects its own pods by labels that carry its uid", () => {
	const job = stored();
	const labels = {
		"batch.kubernetes.io/controller-uid": "0000-1111",
		"batch.kubernetes.io/job-name": "pi",
		"controller-uid": "0000-1111",
		"job-name": "pi",
	};
	expect(job.spec.selector).toEqual({ matchLabels: { "batch.kubernetes.io/controller-uid": "0000-1111" } });
	expect(job.spec.template.metadata?.labels).toEqual(labels);
	expect(job.metadata.labels).toEqual(labels);
	expect(job.status).toEqual({});
});

test("defaults are upstream's", () => {
	const { template: _template, selector: _selector, ...rest } = stored().spec;
	expect(rest).toEqual({
		backoffLimit: 6,
		completionMode: "NonIndexed",
		completions: 1,
		manualSelector: false,
		parallelism: 1,
		podReplacementPolicy: "TerminatingOrFailed",
		suspend: false,
	});
	expect(stored({ parallelism: 3 }).spec.completions).toBeUndefined();
	expect(stored({ completionMode: "Indexed", completions: 2, backoffLimitPerIndex: 1 }).spec.backoffLimit).toBe(
		2147483647,
	);
});

describe("what is wrong with a job", () => {
	test.each<[string, object, string[]]>([
		[
			"a restart policy that never ends",
			{ template: template("Always") },
			['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
		],
		[
			"a negative count",
			{ completions: -1 },
			["spec.completions: Invalid value: -1: must be greater than or equal to 0"],
		],
		[
			"indexes without a number of them",
			{ completionMode: "Indexed", parallelism: 1 },
			["spec.completions: Required value: when completion mode is Indexed"],
		],
		[
			"a limit for each index without indexes",
			{ backoffLimitPerIndex: 1 },
			["spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"],
		],
		[
			"a failure policy where containers restart",
			{
				template: template("OnFailure"),
				podFailurePolicy: { rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget" }] }] },
			},
			[
				'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified',
			],
		],
		[
			"exit codes in no order",
			{ podFailurePolicy: { rules: [{ action: "FailJob", onExitCodes: { operator: "In", values: [3, 1] } }] } },
			["spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [3,1]: must be ordered"],
		],
		[
			"a success policy that says nothing",
			{ completionMode: "Indexed", completions: 3, successPolicy: { rules: [{}] } },
			[
				"spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be specified",
			],
		],
		[
			"a selector made by hand",
			{ selector: { matchLabels: { a: "b" } } },
			[
				'spec.selector: Invalid value: {"matchLabels":{"a":"b","batch.kubernetes.io/controller-uid":"0000-1111"}}: `selector` not auto-generated',
				'spec.template.metadata.labels: Invalid value: {"batch.kubernetes.io/controller-uid":"0000-1111","batch.kubernetes.io/job-name":"pi","controller-uid":"0000-1111","job-name":"pi"}: `selector` does not match template `labels`',
			],
		],
	])("%s", (_name, spec, expected) => {
		expect(problems(spec)).toEqual(expected);
	});

	test("a selector made by hand is fine when the job says so", () => {
		const labelled = { ...template(), metadata: { labels: { a: "b" } } };
		expect(problems({ manualSelector: true, selector: { matchLabels: { a: "b" } }, template: labelled })).toEqual([]);
	});
});

describe("updates of a job", () => {
	const indexed = () => stored({ completionMode: "Indexed", completions: 3, parallelism: 3 });
	const change = (edit: (spec: JobSpec) => void) => (job: Job) => edit(job.spec);

	test("parallelism, suspension and deadlines may change", () => {
		const edit = change((spec) =>
			Object.assign(spec, { parallelism: 5, suspend: true, ttlSecondsAfterFinished: 1, backoffLimit: 0 }),
		);
		expect(updateProblems(stored(), edit)).toEqual([]);
	});

	test("completions may not, unless the job is indexed and parallelism goes along", () => {
		expect(
			updateProblems(
				stored(),
				change((spec) => Object.assign(spec, { completions: 2 })),
			),
		).toEqual(["spec.completions: Invalid value: 2: field is immutable"]);
		expect(
			updateProblems(
				indexed(),
				change((spec) => Object.assign(spec, { completions: 5, parallelism: 5 })),
			),
		).toEqual([]);
		expect(
			updateProblems(
				indexed(),
				change((spec) => Object.assign(spec, { completions: 5 })),
			),
		).toEqual(["spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism"]);
	});

	const select = change((spec) => Object.assign(spec.template.spec, { nodeSelector: { disk: "fast" } }));
	test("the template may not change while the job runs", () => {
		expect(updateProblems(stored(), select)[0]).toMatch(/^spec.template: Invalid value: .*: field is immutable$/);
	});

	test("where pods run may change while a job is suspended, what they run may not", () => {
		const suspended = stored({ suspend: true });
		expect(updateProblems(suspended, select)).toEqual([]);
		const image = change((spec) => Object.assign(spec.template.spec.containers[0] ?? {}, { image: "other" }));
		expect(updateProblems(suspended, image)[0]).toMatch(/field is immutable$/);
		const stopped = withStatus(suspended, { startTime: "2026-01-01T00:00:00Z" });
		expect(updateProblems(stopped, select)[0]).toMatch(/field is immutable$/);
		const conditions = [{ type: "Suspended", status: "True" }];
		expect(updateProblems(withStatus(suspended, { startTime: "2026-01-01T00:00:00Z", conditions }), select)).toEqual(
			[],
		);
		expect(updateProblems(withStatus(suspended, { active: 1, conditions }), select)[0]).toMatch(/field is immutable$/);
	});

	test("what pods request may change while a job is suspended", () => {
		const request = change((spec) =>
			Object.assign(spec.template.spec.containers[0] ?? {}, { resources: { requests: { cpu: "2" } } }),
		);
		expect(updateProblems(stored({ suspend: true }), request)).toEqual([]);
		expect(updateProblems(stored(), request)[0]).toMatch(/field is immutable$/);
	});
});

describe("the table of jobs", () => {
	const nowMs = parseTimestamp("2026-01-01T01:00:00Z");
	const row = (job: Job) => {
		const { Status, Completions, Duration } = cells(job, nowMs);
		return [Status, Completions, Duration];
	};
	const startTime = "2026-01-01T00:59:00Z";
	test("shows what the job is doing, how far it is and for how long", () => {
		expect(row(stored())).toEqual(["Running", "0/1", ""]);
		expect(row(withStatus(stored(), { startTime }))).toEqual(["Running", "0/1", "60s"]);
		const done = { startTime, completionTime: "2026-01-01T00:59:05Z", succeeded: 1 };
		expect(row(withStatus(stored(), { ...done, conditions: [{ type: "Complete", status: "True" }] }))).toEqual([
			"Complete",
			"1/1",
			"5s",
		]);
		expect(row(withStatus(stored(), { conditions: [{ type: "Failed", status: "True" }] }))[0]).toBe("Failed");
		expect(row(withStatus(stored(), { conditions: [{ type: "Suspended", status: "True" }] }))[0]).toBe("Suspended");
		expect(row(withStatus(stored({ parallelism: 3 }), { succeeded: 1 }))[1]).toBe("1/1 of 3");
	});
});

describe("indexes", () => {
	test("are single numbers and intervals in order", () => {
		expect(parseIndexes("0,2-4,6", 7)).toEqual([
			[0, 0],
			[2, 4],
			[6, 6],
		]);
		expect(parseIndexes("", 7)).toEqual([]);
	});
	test.each(["a", "1,1", "3-1", "7", "1-", "2,1"])("%j is refused", (text) => {
		expect(typeof parseIndexes(text, 7)).toBe("string");
	});
});

describe("cron jobs", () => {
	const cron = (spec: object = {}, name = "nightly") => ({
		apiVersion: "batch/v1",
		kind: "CronJob",
		metadata: { name },
		spec: { schedule: "0 2 * * *", jobTemplate: { spec: { template: template() } }, ...spec },
	});

	test("have upstream's defaults, and leave the job's to the job", () => {
		const { spec } = createFrom(cron()).object as CronJob;
		expect(spec).toMatchObject({
			concurrencyPolicy: "Allow",
			suspend: false,
			successfulJobsHistoryLimit: 3,
			failedJobsHistoryLimit: 1,
		});
		expect(spec.jobTemplate.spec).not.toHaveProperty("backoffLimit");
	});

	test.each<[string, object, string]>([
		[
			"a schedule that cannot be read",
			{ schedule: "* * *" },
			'spec.schedule: Invalid value: "* * *": expected exactly 5 fields, found 3: [* * *]',
		],
		[
			"a zone in the schedule and beside it",
			{ schedule: "TZ=UTC 0 2 * * *", timeZone: "UTC" },
			'spec.schedule: Invalid value: "TZ=UTC 0 2 * * *": cannot use both timeZone field and TZ or CRON_TZ in schedule',
		],
		[
			"an unknown zone in the schedule",
			{ schedule: "TZ=Mars/Olympus 0 2 * * *" },
			'spec.schedule: Invalid value: "TZ=Mars/Olympus 0 2 * * *": provided bad location Mars/Olympus: unknown time zone Mars/Olympus',
		],
		[
			"an unknown zone",
			{ timeZone: "Mars/Olympus" },
			'spec.timeZone: Invalid value: "Mars/Olympus": unknown time zone Mars/Olympus',
		],
		[
			"an unknown policy",
			{ concurrencyPolicy: "Maybe" },
			'spec.concurrencyPolicy: Unsupported value: "Maybe": supported values: "Allow", "Forbid", "Replace"',
		],
		["no schedule", { schedule: "" }, "spec.schedule: Required value"],
	])("%s", (_name, spec, expected) => {
		expect(createFrom(cron(spec)).problems).toEqual([expected]);
	});

	test("names leave room for the job's", () => {
		expect(createFrom(cron({}, "x".repeat(53))).problems).toEqual([
			`metadata.name: Invalid value: "${"x".repeat(53)}": must be no more than 52 characters`,
		]);
	});

	test("the table shows schedule, zone and the time since the last start", () => {
		const { object } = createFrom(cron({ timeZone: "Europe/Zurich" }));
		const next = { ...object, status: { lastScheduleTime: "2026-01-01T00:00:00Z", active: [{}] } };
		expect(cells(next, parseTimestamp("2026-01-01T00:10:00Z"))).toMatchObject({
			Schedule: "0 2 * * *",
			Timezone: "Europe/Zurich",
			Suspend: "False",
			Active: 1,
			"Last Schedule": "10m",
		});
	});
});

test("a job that a CronJob owns carries its name, whatever kubectl's reference looks like", () => {
	const ownerReferences = [{ apiVersion: "batch/v1beta1", kind: "CronJob", name: "nightly", uid: "u" }];
	const owned = (template: object) =>
		createFrom({ ...manifest({ template }), metadata: { name: "by-hand", ownerReferences } }).object as Job;
	const job = owned(template());
	expect(job.metadata.labels?.["cronjob"]).toBe("nightly");
	expect(job.spec.template.metadata?.labels?.["cronjob"]).toBe("nightly");
	const labelled = owned({ ...template(), metadata: { labels: { cronjob: "mine" } } });
	expect(labelled.spec.template.metadata?.labels?.["cronjob"]).toBe("mine");
});
