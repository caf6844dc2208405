import { configMaps, deployments, jobs } from "coxswain";
import { matchers, useCluster } from "coxswain/testing";
import * as runner from "vitest";
import { startGreeter } from "../controller.js";

const { afterAll, beforeAll, expect, test } = runner;
expect.extend(matchers);

const suite = useCluster(runner, { nodes: 3, clock: "virtual" });
const ending = new AbortController();
beforeAll(() => startGreeter(suite.cluster.client, ending.signal));
afterAll(() => ending.abort());

const hello = {
	apiVersion: "v1",
	kind: "ConfigMap",
	metadata: { name: "hello", labels: { greeter: "yes" } },
	data: { replicas: "3" },
};

test("a greeter gets the replicas it asks for, and its Deployment goes when it goes", async () => {
	await suite.apply(hello);
	const deployment = suite.object(deployments, "hello");
	await expect(deployment).toBecomeReady();
	expect((await deployment.get()).spec?.replicas).toBe(3);
	await suite.cluster.client.delete(configMaps, { namespace: suite.namespace, name: "hello" });
	await expect(deployment).toBeDeleted();
});

test("what another test made is gone", async () => {
	await expect(suite.object(deployments, "hello")).not.toExist({ within: "1s" });
	expect((await suite.cluster.client.list(deployments)).items).toEqual([]);
});

test("the nightly report runs at two, and takes its ten minutes in no time", async () => {
	await suite.apply(`
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
	await suite.cluster.clock.advance("26h");
	const [job] = (await suite.cluster.client.list(jobs, { namespace: suite.namespace })).items;
	expect(job?.status?.startTime).toMatch(/T02:00:00Z$/);
	expect(job?.status?.completionTime).toMatch(/T02:10:/);
});
