import { configMaps, deployments, jobs, startCluster } from "coxswain";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startGreeter } from "../controller.js";

/** @type {import("coxswain").Cluster<import("coxswain").VirtualTime>} */
let cluster;
const ending = new AbortController();

beforeAll(async () => {
	cluster = await startCluster({ nodes: 3, clock: "virtual" });
	await startGreeter(cluster.client, ending.signal);
});
afterAll(async () => {
	ending.abort();
	await cluster.stop();
});

test("a greeter gets the replicas it asks for", async () => {
	await cluster.apply(`
apiVersion: v1
kind: ConfigMap
metadata: { name: hello, labels: { greeter: "yes" } }
data: { replicas: "3" }
`);
	const deployment = await cluster.waitFor(deployments, "hello", ({ status }) => status?.availableReplicas === 3);
	expect(deployment.spec?.replicas).toBe(3);
});

test("its Deployment goes when it goes", async () => {
	await cluster.client.delete(configMaps, { namespace: "default", name: "hello" });
	await cluster.waitFor(deployments, "hello", "deleted");
});

test("the nightly report runs at two, and takes its ten minutes in no time", async () => {
	await cluster.apply(`
apiVersion: batch/v1
kind: CronJob
metadata: { name: report }
spec:
  schedule: "0 2 * * *"
  jobTemplate:
    spec:
      template:
        metadata:
          annotations: { simulate.coxswain.io/duration: 10m }
        spec:
          restartPolicy: Never
          containers: [{ name: report, image: report }]
`);
	await cluster.clock.advance("26h");
	const [job] = (await cluster.client.list(jobs, { namespace: "default" })).items;
	expect(job?.status?.startTime).toMatch(/T02:00:00Z$/);
	expect(job?.status?.completionTime).toMatch(/T02:10:/);
});
