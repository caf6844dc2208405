/** Runs of CronJobs that did not happen, on a whole cluster in virtual time. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Cluster, startCluster } from "../cluster/embed/embed.ts";
import { cronJobs } from "../kinds/batch/cronjob.ts";
import { events } from "../kinds/core/event.ts";
import { runs } from "../kinds/history/run.ts";

const cronJob = (name: string, spec: object, duration = "1s") => ({
	apiVersion: "batch/v1",
	kind: "CronJob",
	metadata: { name, namespace: "default" },
	spec: {
		schedule: "0 * * * *",
		...spec,
		jobTemplate: {
			spec: {
				template: {
					metadata: { annotations: { "simulate.coxswain.io/duration": duration } },
					spec: { restartPolicy: "Never", containers: [{ name: "main", image: "busybox" }] },
				},
			},
		},
	},
});

/** Each run with its result, reason and count. */
async function told(cluster: Cluster, name: string) {
	const { items } = await cluster.client.list(runs, { namespace: "default", labelSelector: `cronjob=${name}` });
	return items
		.map(({ spec, status }) => ({ at: spec.scheduledTime?.slice(11, 16), ...status }))
		.sort((a, b) => ((a.at ?? "") < (b.at ?? "") ? -1 : 1))
		.map(({ at, result, reason, skipped }) => [at, result, ...(reason ? [reason, skipped?.count] : [])].join(" "));
}

test("a run that did not happen is there with its reason", async () => {
	await using cluster = await startCluster({ clock: "virtual" });
	await cluster.apply(cronJob("idle", { suspend: true }));
	await cluster.apply(cronJob("long", { concurrencyPolicy: "Forbid", startingDeadlineSeconds: 60 }, "150m"));
	await cluster.apply(cronJob("hourly", {}));
	const metadata = { name: "each", namespace: "default", annotations: { "coxswain.io/catch-up": "all" } };
	await cluster.apply({ ...cronJob("each", { concurrencyPolicy: "Forbid" }, "90m"), metadata });
	await cluster.clock.advance("3h10m");
	const { items } = await cluster.client.list(events, { namespace: "default" });
	const messages = items.filter(({ involvedObject }) => involvedObject.name === "idle").map(({ message }) => message);
	expect(messages).toContain("Not starting job because the CronJob is suspended");
	const patch = { spec: { suspend: false } };
	await cluster.client.patch(cronJobs, { namespace: "default", name: "idle" }, { type: "merge", patch });
	await cluster.clock.advance("1h");
	// The third was caught up when the CronJob was resumed.
	expect(await told(cluster, "idle")).toEqual(["01:00 Skipped Suspended 2", "03:00 Succeeded", "04:00 Succeeded"]);
	expect(await told(cluster, "long")).toEqual([
		"01:00 Succeeded",
		"02:00 Skipped ConcurrencyForbidden 2",
		"04:00 Running",
	]);
	// Each is caught up in turn.
	expect(await told(cluster, "each")).toEqual(["01:00 Succeeded", "02:00 Succeeded", "03:00 Running"]);
	expect(await told(cluster, "hourly")).toEqual(["01:00", "02:00", "03:00", "04:00"].map((at) => `${at} Succeeded`));
});

test("runs that a stopped cluster missed are there when it is back, and so is all that was kept", async () => {
	const folder = mkdtempSync(join(tmpdir(), "cox-history-"));
	try {
		const options = { clock: "virtual", store: { folder } } as const;
		{
			await using cluster = await startCluster({ ...options, startTime: "2026-01-01T00:00:00Z" });
			await cluster.apply(cronJob("hourly", {}));
			await cluster.clock.advance("2h30m");
		}
		await using cluster = await startCluster({ ...options, startTime: "2026-01-01T06:30:00Z" });
		await cluster.clock.advance("10m");
		expect(await told(cluster, "hourly")).toEqual([
			"01:00 Succeeded",
			"02:00 Succeeded",
			"03:00 Skipped ClusterDown 3",
			"06:00 Succeeded",
		]);
		const [run] = (await cluster.client.list(runs, { fieldSelector: "status.result=Skipped" })).items;
		expect(run?.status.message).toMatch(
			/^the cluster was down from 2026-01-01T0\d:\d\d:\d\dZ to 2026-01-01T06:30:0\dZ$/,
		);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
});
