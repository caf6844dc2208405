import assert from "node:assert/strict";
import * as runner from "node:test";
import { configMaps, deployments } from "coxswain";
import { useCluster } from "coxswain/testing";
import { startGreeter } from "../controller.js";

const { after, before, test } = runner;

const suite = useCluster(runner, { nodes: 3, clock: "virtual" });
const ending = new AbortController();
before(async () => startGreeter((await suite.started()).client, ending.signal));
after(() => ending.abort());

test("a greeter gets the replicas it asks for, and its Deployment goes when it goes", async () => {
	await suite.cluster.client.create(configMaps, {
		metadata: { namespace: suite.namespace, name: "hello", labels: { greeter: "yes" } },
		data: { replicas: "3" },
	});
	const deployment = suite.object(deployments, "hello");
	await deployment.toBecomeReady();
	await suite.cluster.client.delete(configMaps, { namespace: suite.namespace, name: "hello" });
	await deployment.toBeDeleted();
});

test("what another test made is gone", async () => {
	assert.deepEqual((await suite.cluster.client.list(deployments)).items, []);
});
