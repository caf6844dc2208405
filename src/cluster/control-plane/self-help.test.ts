/** Workloads that help themselves, on a whole cluster in virtual time. */
import { expect, test } from "vitest";
import { deployments } from "../../kinds/apps/deployment.ts";
import { jobs } from "../../kinds/batch/job.ts";
import { events } from "../../kinds/core/event.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { startCluster } from "../embed/embed.ts";

const template = (app: string, more: object = {}, restartPolicy = "Always") => ({
	metadata: { labels: { app }, ...more },
	spec: { restartPolicy, containers: [{ name: "main", image: "busybox" }] },
});

const deployment = (name: string, after: string) => ({
	apiVersion: "apps/v1",
	kind: "Deployment",
	metadata: { name, namespace: "default", annotations: { "coxswain.io/after": after } },
	spec: { replicas: 2, selector: { matchLabels: { app: name } }, template: template(name) },
});

test("pods wait until what they come after is complete or available, and no longer", async () => {
	await using cluster = await startCluster({ clock: "virtual" });
	const { client, clock } = cluster;
	const phases = async (app: string) =>
		(await client.list(pods, { namespace: "default", labelSelector: `app=${app}` })).items.map(
			({ spec, status }) => `${spec.schedulingGates?.length ?? 0} ${status?.phase}`,
		);
	await cluster.apply(deployment("front", "deploy/api"));
	await cluster.apply(deployment("api", "job/migrate"));
	await clock.advance("1m");
	expect([...(await phases("front")), ...(await phases("api"))]).toEqual(Array(4).fill("1 Pending"));
	const messages = (await client.list(events, { namespace: "default" })).items.map(({ message }) => message);
	expect(messages).toContain("waits for job/migrate (there is none)");
	expect(messages).toContain("waits for deployment/api (0 of 2 available)");
	await cluster.apply({
		apiVersion: "batch/v1",
		kind: "Job",
		metadata: { name: "migrate", namespace: "default" },
		spec: {
			ttlSecondsAfterFinished: 10,
			template: template("migrate", { annotations: { "simulate.coxswain.io/duration": "30s" } }, "Never"),
		},
	});
	await clock.advance("20s");
	expect(await phases("api")).toEqual(["1 Pending", "1 Pending"]);
	await clock.advance("20s");
	expect([...(await phases("front")), ...(await phases("api"))]).toEqual(Array(4).fill("0 Running"));
	// The Job is gone by now, and it ran for this very template.
	await clock.advance("30s");
	expect((await client.list(jobs, { namespace: "default" })).items).toEqual([]);
	const patch = { spec: { replicas: 3 } };
	await client.patch(deployments, { namespace: "default", name: "api" }, { type: "merge", patch });
	await clock.advance("10s");
	expect(await phases("api")).toEqual(Array(3).fill("0 Running"));
});

test("a Job runs once on each node, also on one that comes later, and a CronJob's is complete", async () => {
	await using cluster = await startCluster({ clock: "virtual", nodes: 2 });
	const { client, clock, nodes } = cluster;
	const job = (value: string) => ({
		metadata: { namespace: "default", annotations: { "coxswain.io/per-node": value } },
		spec: { template: template("setup", { annotations: { "simulate.coxswain.io/duration": "5s" } }, "Never") },
	});
	const ref = { namespace: "default", name: "setup" };
	await cluster.apply({
		apiVersion: "batch/v1",
		kind: "Job",
		...job("true"),
		metadata: { ...job("true").metadata, ...ref },
	});
	await cluster.apply({
		apiVersion: "batch/v1",
		kind: "CronJob",
		metadata: { namespace: "default", name: "hourly" },
		spec: { schedule: "0 * * * *", jobTemplate: job("true") },
	});
	const condition = async (name: string, type: string) => {
		const { status } = await client.get(jobs, { namespace: "default", name });
		const found = status?.conditions?.find((one) => one.type === type);
		return `${found?.status} ${found?.message}`;
	};
	await clock.advance("20s");
	expect(await condition("setup", "coxswain.io/AllNodes")).toBe("True succeeded: node-1, node-2");
	expect(await condition("setup", "Complete")).toBe("undefined undefined");
	await nodes.add();
	await clock.advance("3s");
	expect(await condition("setup", "coxswain.io/AllNodes")).toBe("False succeeded: node-1, node-2; running: node-3");
	await nodes.remove("node-2");
	await clock.advance("1m");
	expect(await condition("setup", "coxswain.io/AllNodes")).toBe("True succeeded: node-1, node-2, node-3");
	const { spec, status } = await client.get(jobs, ref);
	expect([spec.completions, status?.succeeded]).toEqual([3, 3]);
	await nodes.add({ name: "node-2" });
	await clock.advance("1m");
	// It is another node under the old name.
	expect(await condition("setup", "coxswain.io/AllNodes")).toBe("True succeeded: node-1, node-2, node-3, node-2");
	await clock.advance("1h");
	const { items } = await client.list(jobs, { namespace: "default", labelSelector: "cronjob=hourly" });
	expect(items.map(({ status: one }) => [one?.completedIndexes, one?.conditions?.at(-1)?.type])).toEqual([
		["0-2", "Complete"],
	]);
	const patch = { metadata: { annotations: { "coxswain.io/per-node": "once" } } };
	await expect(client.patch(jobs, ref, { type: "merge", patch })).rejects.toThrow(
		"metadata.annotations[coxswain.io/per-node]: Invalid value",
	);
});
