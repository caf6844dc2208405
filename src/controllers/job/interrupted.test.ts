/**
 * Jobs on a real API server, in virtual time, with pods that terminate by themselves. The controller is killed at every
 * one of its writes, before it is stored and after (the response is lost); each time a new one, with a new informer
 * cache, takes over.
 */

import { describe, expect, test } from "vitest";
import { isTrue } from "../../core/conditions.ts";
import { jobs } from "../../kinds/batch/job.ts";
import { isJobFinished } from "../../kinds/batch/job-finished.ts";
import type { Job, JobSpec, Pod } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { jobController } from "./controller.ts";
import { IndexSet } from "./indexes.ts";
import { jobOrphanController } from "./orphans.ts";
import { indexOf, isTracked } from "./pods.ts";
import { type Death, startMortalControllers } from "./testing/mortal-controllers.ts";

const template = { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "busybox" }] } };
const ref = { namespace: "default", name: "pi" };

/** Runs one Job to its end. */
async function run(spec: Omit<JobSpec, "template">, fails: (nth: number) => boolean, death: Death | undefined) {
	const controllers = [jobController, jobOrphanController];
	const { client, clock, killed, stop } = await startMortalControllers({ controllers, fails, death });
	await client.create(jobs, { metadata: ref, spec: { ...spec, template } });
	for (let minute = 0; minute < 120; minute++) {
		await clock.advance(60_000);
		if (isJobFinished(await client.get(jobs, ref))) break;
	}
	await clock.advance(60_000);
	const job = await client.get(jobs, ref);
	const left = (await client.list(pods, { namespace: "default" })).items;
	await stop();
	return { job, pods: left, killed: killed() };
}

/** What must hold at the end of a successful Job, whatever happened in between. */
function check(job: Job, left: readonly Pod[], expected: { succeeded: number; indexed?: true }): void {
	const { status } = job;
	expect(isTrue(job, "Complete")).toBe(true);
	expect(status?.succeeded).toBe(expected.succeeded);
	expect(status?.uncountedTerminatedPods).toEqual({});
	expect([status?.active, status?.terminating, status?.ready]).toEqual([undefined, 0, 0]);
	expect(left.filter(isTracked)).toEqual([]);
	const succeeded = left.filter((pod) => pod.status?.phase === "Succeeded");
	if (expected.indexed) {
		const indexes = IndexSet.of(succeeded.map((pod) => indexOf(pod) ?? -1));
		expect(status?.completedIndexes).toBe(indexes.toString());
	} else expect(succeeded.length).toBe(expected.succeeded);
	expect(status?.failed ?? 0).toBe(left.filter((pod) => pod.status?.phase === "Failed").length);
}

const scenarios: { name: string; spec: Omit<JobSpec, "template">; fails(nth: number): boolean; indexed?: true }[] = [
	{ name: "one pod", spec: {}, fails: () => false },
	{
		name: "three completions in turns of two, some failing",
		spec: { completions: 3, parallelism: 2 },
		fails: (nth) => nth % 3 === 1,
	},
	{
		name: "indexes, each with failures of its own",
		spec: { completionMode: "Indexed", completions: 3, parallelism: 3, backoffLimitPerIndex: 3 },
		fails: (nth) => nth % 4 === 0,
		indexed: true,
	},
];

describe.each(scenarios)("job of $name", ({ spec, fails, indexed }) => {
	const expected = { succeeded: spec.completions ?? 1, ...(indexed ? { indexed } : {}) };

	test("completes", async () => {
		const { job, pods: left } = await run(spec, fails, undefined);
		check(job, left, expected);
	});

	test.each([false, true])("counts every end once, killed at any write (stored: %s)", async (stored) => {
		for (let atWrite = 1; ; atWrite++) {
			const { job, pods: left, killed } = await run(spec, fails, { atWrite, stored });
			if (!killed) {
				expect(atWrite).toBeGreaterThan(4);
				break;
			}
			try {
				check(job, left, expected);
			} catch (error) {
				throw new Error(`killed at write ${atWrite}: ${JSON.stringify(job.status)}`, { cause: error });
			}
		}
	});
});
