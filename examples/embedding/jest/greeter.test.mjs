/* Run with `NODE_OPTIONS=--experimental-vm-modules npx jest`: Coxswain is an ES module. */
import * as runner from "@jest/globals";
import { configMaps, deployments } from "coxswain";
import { matchers, useCluster } from "coxswain/testing";
import { startGreeter } from "../controller.js";

const { afterAll, beforeAll, expect, test } = runner;
expect.extend(matchers);

const suite = useCluster(runner, { nodes: 3, clock: "virtual" });
const ending = new AbortController();
beforeAll(() => startGreeter(suite.cluster.client, ending.signal));
afterAll(() => ending.abort());

test("a greeter gets the replicas it asks for, and its Deployment goes when it goes", async () => {
	await suite.cluster.client.create(configMaps, {
		metadata: { namespace: suite.namespace, name: "hello", labels: { greeter: "yes" } },
		data: { replicas: "3" },
	});
	const deployment = suite.object(deployments, "hello");
	await expect(deployment).toBecomeReady();
	await suite.cluster.client.delete(configMaps, { namespace: suite.namespace, name: "hello" });
	await expect(deployment).toBeDeleted();
});

test("what another test made is gone", async () => {
	expect((await suite.cluster.client.list(deployments)).items).toEqual([]);
});
