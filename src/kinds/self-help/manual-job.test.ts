import { expect, test } from "vitest";
import type { CronJob } from "../generated/types.ts";
import { envVar, manualJob } from "./manual-job.ts";

const cronJob = {
	apiVersion: "batch/v1",
	kind: "CronJob",
	metadata: { name: "nightly", namespace: "shop", uid: "u" },
	spec: {
		schedule: "0 2 * * *",
		jobTemplate: {
			metadata: { labels: { app: "backup" }, annotations: { note: "x" } },
			spec: {
				backoffLimit: 2,
				template: {
					spec: {
						restartPolicy: "Never",
						containers: [
							{ name: "main", image: "backup", args: ["all"], env: [{ name: "LEVEL", value: "info" }] },
							{ name: "side", image: "side" },
						],
					},
				},
			},
		},
	},
} as unknown as CronJob;

test("a run started by hand is the template's Job, says who started it, and changes what it is told to", () => {
	const job = manualJob(cronJob, { by: "ann", env: ["LEVEL=debug", "SINCE=a=b"].map(envVar), args: ["one", "two"] });
	expect(job.metadata).toMatchObject({
		generateName: "nightly-manual-",
		namespace: "shop",
		labels: { app: "backup" },
		annotations: { note: "x", "cronjob.kubernetes.io/instantiate": "manual", "coxswain.io/started-by": "ann" },
		ownerReferences: [{ kind: "CronJob", name: "nightly", uid: "u", controller: true }],
	});
	expect(job.spec.backoffLimit).toBe(2);
	expect(job.spec.template.spec.containers).toEqual([
		{
			name: "main",
			image: "backup",
			args: ["one", "two"],
			env: [
				{ name: "LEVEL", value: "debug" },
				{ name: "SINCE", value: "a=b" },
			],
		},
		{ name: "side", image: "side" },
	]);
	const [main, side] = manualJob(cronJob, { by: "ann", container: "side", env: [], args: [] }).spec.template.spec
		.containers;
	expect([main?.args, main?.env, side?.args]).toEqual([["all"], [{ name: "LEVEL", value: "info" }], []]);
});

test("what cannot be meant is said", () => {
	expect(() => envVar("LEVEL")).toThrow("'LEVEL' is not of the form NAME=VALUE");
	expect(() => manualJob(cronJob, { by: "ann", container: "other", env: [] })).toThrow(
		"cronjob/nightly has no container other; it has main, side",
	);
});
