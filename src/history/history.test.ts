/** Runs from the perspective of clients, on a whole cluster in memory and in virtual time. */
import { expect, test } from "vitest";
import { type Cluster, startCluster } from "../cluster/embed/embed.ts";
import { jobs } from "../kinds/batch/job.ts";
import { runs } from "../kinds/history/run.ts";
import type { Run } from "../kinds/history/types.ts";

const jobNamed = (name: string, annotations: Record<string, string> = {}, spec: object = {}) => ({
	apiVersion: "batch/v1",
	kind: "Job",
	metadata: { name, namespace: "default" },
	spec: {
		backoffLimit: 1,
		...spec,
		template: {
			metadata: { annotations },
			spec: { restartPolicy: "Never", containers: [{ name: "main", image: "busybox" }] },
		},
	},
});

async function runOfJob(cluster: Cluster, name: string): Promise<Run | undefined> {
	const { items } = await cluster.client.list(runs, { namespace: "default", fieldSelector: `spec.jobName=${name}` });
	return items[0];
}

const logOf = (cluster: Cluster, { metadata }: Run, query = "") =>
	cluster.client.raw("GET", `/apis/history.coxswain.io/v1/namespaces/default/runs/${metadata.name}/log${query}`);

test("what a job did and said outlives the job", async () => {
	await using cluster = await startCluster({ clock: "virtual" });
	await cluster.apply(jobNamed("good"));
	await cluster.apply(jobNamed("bad", { "simulate.coxswain.io/exit-code": "3" }));
	await cluster.waitFor(jobs, "good", "Complete");
	await cluster.waitFor(jobs, "bad", "Failed", { timeout: "5m" });
	await cluster.delete(jobNamed("good"));
	await cluster.delete(jobNamed("bad"));
	await cluster.clock.advance("1m");

	const good = await runOfJob(cluster, "good");
	expect(good?.status).toMatchObject({ result: "Succeeded", attempts: 1, succeeded: 1, failed: 0, logs: "Complete" });
	expect(good?.status.pods?.[0]).toMatchObject({ phase: "Succeeded", node: "node-1" });
	expect(good?.status.pods?.[0]?.containers?.[0]).toMatchObject({
		name: "main",
		image: "busybox",
		attempts: [{ number: 0, exitCode: 0, reason: "Completed" }],
	});
	const bad = await runOfJob(cluster, "bad");
	expect(bad?.status).toMatchObject({ result: "Failed", reason: "BackoffLimitExceeded", attempts: 2, failed: 2 });
	expect(bad?.status.pods?.flatMap(({ containers = [] }) => containers[0]?.attempts?.[0]?.exitCode)).toEqual([3, 3]);
	expect(await logOf(cluster, bad as Run)).toMatch(/^main started.*\nmain ended with exit code 3\n$/s);
	expect(await logOf(cluster, bad as Run, "?tailLines=1&limitBytes=4")).toBe("main");
	expect(await logOf(cluster, bad as Run, "?previous=true&timestamps=true&tailLines=1")).toMatch(/^2026-01-01T00:00:0/);
});
