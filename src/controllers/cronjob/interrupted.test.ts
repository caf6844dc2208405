/** CronJobs on a real API server, in virtual time; the controllers are killed at every one of their writes. */

import { expect, test } from "vitest";
import { cronJobs } from "../../kinds/batch/cronjob.ts";
import { scheduledAnnotation } from "../../kinds/batch/cronjob-jobs.ts";
import { jobs } from "../../kinds/batch/job.ts";
import { isJobFinished } from "../../kinds/batch/job-finished.ts";
import type { CronJobSpec, Job } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { jobController } from "../job/controller.ts";
import { jobOrphanController } from "../job/orphans.ts";
import { type Death, startMortalControllers } from "../job/testing/mortal-controllers.ts";
import { cronJobController } from "./controller.ts";

const jobTemplate = {
	spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "busybox" }] } } },
};
const ref = { namespace: "default", name: "nightly" };
const hour = 3_600_000;

interface Run {
	spec: Partial<CronJobSpec> & { schedule: string };
	annotations?: Record<string, string>;
	hours: number;
	/** It is suspended until then. */
	resumeAfterHours?: number;
	startMs?: number;
	death?: Death;
}

/**
 * Runs a CronJob for some hours.
 * @returns its remaining Jobs, and every time for which one was created, in order
 */
async function run({ spec, annotations = {}, hours, resumeAfterHours, startMs, death }: Run) {
	const controllers = [cronJobController, jobController, jobOrphanController];
	const cluster = await startMortalControllers({ controllers, death, ...(startMs === undefined ? {} : { startMs }) });
	const { client, clock } = cluster;
	await client.create(cronJobs, { metadata: { ...ref, annotations }, spec: { ...spec, jobTemplate } });
	const made = new Map<string, string>();
	let left: readonly Job[] = [];
	for (let step = 0; step < hours * 4; step++) {
		if (step / 4 === resumeAfterHours)
			await client.patch(cronJobs, ref, { type: "merge", patch: { spec: { suspend: false } } });
		await clock.advance(hour / 4);
		left = (await client.list(jobs, { namespace: "default" })).items;
		for (const { metadata } of left) made.set(metadata.uid, metadata.annotations?.[scheduledAnnotation] ?? "");
	}
	const cronJob = await client.get(cronJobs, ref);
	const podLabels = (await client.list(pods, { namespace: "default" })).items.map(({ metadata }) => metadata.labels);
	await cluster.stop();
	return { cronJob, left, times: [...made.values()].sort(), podLabels, killed: cluster.killed() };
}

test("runs at its times, keeps the last three, and all is found by its label", async () => {
	const { cronJob, left, times, podLabels } = await run({ spec: { schedule: "0 */2 * * *" }, hours: 11 });
	expect(times).toEqual(["02", "04", "06", "08", "10"].map((at) => `2026-01-01T${at}:00:00Z`));
	expect(left.filter(isJobFinished)).toHaveLength(3);
	expect(left.map(({ metadata }) => metadata.labels?.["cronjob"])).toEqual(["nightly", "nightly", "nightly"]);
	expect(new Set(podLabels.map((labels) => labels?.["cronjob"]))).toEqual(new Set(["nightly"]));
	expect(cronJob.status?.lastScheduleTime).toBe("2026-01-01T10:00:00Z");
	expect(cronJob.status?.lastSuccessfulTime).toMatch(/^2026-01-01T10:00:0/);
	expect(cronJob.status?.active).toBeUndefined();
});

test("skips the hour that clocks skip and runs twice in the one they repeat", async () => {
	const spec = { schedule: "30 2 * * *", timeZone: "Europe/Berlin" };
	const spring = await run({ spec, hours: 72, startMs: Date.UTC(2026, 2, 28) });
	expect(spring.times).toEqual(["2026-03-28T02:30:00+01:00", "2026-03-30T02:30:00+02:00"]);
	const autumn = await run({ spec, hours: 24, startMs: Date.UTC(2026, 9, 24, 12) });
	expect(autumn.times).toEqual(["2026-10-25T02:30:00+01:00", "2026-10-25T02:30:00+02:00"]);
});

test.each([false, true])("starts once for every time, killed at any write (stored: %s)", async (stored) => {
	const spec = { schedule: "0 * * * *", successfulJobsHistoryLimit: 1, concurrencyPolicy: "Forbid" };
	for (let atWrite = 1; ; atWrite++) {
		const { times, killed } = await run({ spec, hours: 2.25, death: { atWrite, stored } });
		expect(times, `killed at write ${atWrite}`).toEqual(["01", "02"].map((at) => `2026-01-01T${at}:00:00Z`));
		if (!killed) break;
	}
});

test.each([false, true])(
	"makes up for every time that was missed, killed at any write (stored: %s)",
	async (stored) => {
		const spec = { schedule: "0 * * * *", suspend: true, successfulJobsHistoryLimit: 10, concurrencyPolicy: "Forbid" };
		for (let atWrite = 1; ; atWrite++) {
			const annotations = { "coxswain.io/catch-up": "all" };
			const { times, killed } = await run({
				spec,
				annotations,
				hours: 2.75,
				resumeAfterHours: 2.5,
				death: { atWrite, stored },
			});
			expect(times, `killed at write ${atWrite}`).toEqual(["01", "02"].map((at) => `2026-01-01T${at}:00:00Z`));
			if (!killed) break;
		}
	},
);
