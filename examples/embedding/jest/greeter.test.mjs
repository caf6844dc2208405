/* Run with `NODE_OPTIONS=--experimental-vm-modules npx jest`: Coxswain is an ES module. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { configMaps, deployments, startCluster } from "coxswain";
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
	await cluster.client.create(configMaps, {
		metadata: { namespace: "default", name: "hello", labels: { greeter: "yes" } },
		data: { replicas: "3" },
	});
	const deployment = await cluster.waitFor(deployments, "hello", ({ status }) => status?.availableReplicas === 3);
	expect(deployment.spec?.replicas).toBe(3);
});

test("its Deployment goes when it goes", async () => {
	await cluster.client.delete(configMaps, { namespace: "default", name: "hello" });
	await cluster.waitFor(deployments, "hello", "deleted");
});
