/** `coxswain/testing`: what a test file sees of it, and what a failure prints. */

import * as runner from "vitest";
import { afterAll, describe, expect, test, vi } from "vitest";
import {
	clusterRoles,
	configMaps,
	customResource,
	deployments,
	jobs,
	namespaces,
	nodes,
	pods,
} from "../../src/index.ts";
import { matchers, useCluster } from "../../src/testing.ts";

expect.extend(matchers);
declare module "vitest" {
	// Vitest's own declaration has this parameter.
	interface Matchers<T> extends ClusterMatchers<T> {}
}

import type { ClusterMatchers } from "../../src/testing.ts";

const deployment = (image = "nginx") => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: ${image} }] }
`;
const boats = customResource({ group: "example.com", version: "v1", kind: "Boat", plural: "boats" });
const definition = {
	apiVersion: "apiextensions.k8s.io/v1",
	kind: "CustomResourceDefinition",
	metadata: { name: "boats.example.com" },
	spec: {
		group: "example.com",
		scope: "Namespaced",
		names: { plural: "boats", kind: "Boat" },
		versions: [
			{
				name: "v1",
				served: true,
				storage: true,
				subresources: { status: {} },
				schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
			},
		],
	},
};
const boat = {
	apiVersion: "example.com/v1",
	kind: "Boat",
	metadata: { name: "eight", finalizers: ["example.com/moored"] },
};
const refusing = {
	apiVersion: "admissionregistration.k8s.io/v1",
	kind: "ValidatingWebhookConfiguration",
	metadata: { name: "refuses" },
	webhooks: [
		{
			name: "refuses.example.com",
			clientConfig: { url: "https://127.0.0.1:9/" },
			rules: [{ operations: ["DELETE"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"] }],
			sideEffects: "None",
			admissionReviewVersions: ["v1"],
		},
	],
};

const suite = useCluster(runner, {
	clock: "virtual",
	crds: [{ ...definition, metadata: { name: "boats.example.com" } }],
});

describe("isolation", () => {
	const seen: string[] = [];

	test("a test has a namespace, and may make whatever it likes", async () => {
		seen.push(suite.namespace);
		await suite.apply(deployment());
		await suite.apply(boat);
		await suite.cluster.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "elsewhere" } });
		const role = {
			apiVersion: "rbac.authorization.k8s.io/v1",
			kind: "ClusterRole",
			metadata: { name: "sailor" },
			rules: [],
		};
		await suite.cluster.apply(role);
		await suite.cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "other" } });
		await suite.cluster.apply(refusing);
		await suite.cluster.nodes.add({ name: "extra" });
		await suite.object(deployments, "web").toBecomeReady();
	});

	test("the next one finds nothing of it", async () => {
		seen.push(suite.namespace);
		expect(new Set(seen).size).toBe(2);
		const { client } = suite.cluster;
		expect((await client.list(pods)).items).toEqual([]);
		expect((await client.list(boats)).items).toEqual([]);
		expect((await client.list(nodes)).items.map(({ metadata }) => metadata.name)).toEqual(["node-1"]);
		const names = (await client.list(namespaces)).items.map(({ metadata }) => metadata.name);
		expect(names.filter((name) => !/^(default|kube-.*)$/.test(name))).toEqual([suite.namespace]);
		await expect(client.get(clusterRoles, { name: "sailor" })).rejects.toThrow(/not found/);
		await expect(client.get(configMaps, { namespace: "default", name: "elsewhere" })).rejects.toThrow(/not found/);
	});
});

describe("an expectation", () => {
	test("that fails says what was seen last, and why", async () => {
		await suite.apply(deployment("registry.invalid/nginx"));
		const error = await suite.object(deployments, "web").toBecomeReady().catch(String);
		expect(error).toMatch(
			/deployments\.apps test-\d+\/web did not become ready within 60s: status\.availableReplicas is 0 of 2/,
		);
		expect(error).toMatch(/^ {2}Available=False \(MinimumReplicasUnavailable: /m);
		expect(error).toMatch(/^ {2}ReplicaSet web-\w+: status\.availableReplicas is 0 of 2$/m);
		expect(error).toMatch(/^ {2}Warning Failed Pod web-\w+-\w+: .*registry\.invalid/m);
	});

	test("of an object that does not exist, or of another condition, says so", async () => {
		await expect(suite.object(jobs, "none").toBecomeReady({ within: "1s" })).rejects.toThrow(
			/jobs\.batch test-\d+\/none did not become ready within 1s: it does not exist/,
		);
		const moored = [{ type: "Moored", status: "False", reason: "Storm", message: "waves" }];
		await suite.apply(boat);
		const eight = suite.object(boats, "eight");
		await suite.cluster.client.updateStatus(boats, { ...(await eight.get()), ...{ status: { conditions: moored } } });
		await expect(eight).toHaveCondition("Moored", { status: "False", reason: "Storm", message: /wave/ });
		await expect(expect(eight).toHaveCondition("Moored", { within: "1s" })).rejects.toThrow(
			/did not have the condition Moored=True within 1s: it has Moored=False \(Storm: waves\)/,
		);
		await expect(eight).not.toBecomeReady({ within: "1s" });
		await expect(eight.toBeDeleted({ within: "1s" })).rejects.toThrow(/nobody has deleted it/);
		await suite.cluster.client.delete(boats, eight.ref);
		await expect(eight.toBeDeleted({ within: "1s" })).rejects.toThrow(/its finalizers are example.com\/moored/);
	});
});

test("the timeline tells who wrote what, and what changed", async () => {
	await suite.apply(deployment());
	await suite.object(deployments, "web").toBecomeReady();
	await suite.apply(deployment().replace("replicas: 2", "replicas: 1"));
	const ann = suite.cluster.clientAs({ user: "ann" });
	await ann.delete(deployments, { namespace: suite.namespace, name: "web" }).catch(() => {});
	const text = suite.timeline.text();
	const at = `^\\d\\d:\\d\\d:\\d\\d\\.\\d\\d\\d`;
	for (const line of [
		`patch deployments.apps ${suite.namespace}/web by kubernetes-admin: created`,
		`create pods/binding ${suite.namespace}/web-\\S+ by system:kube-scheduler: spec.nodeName: – → "node-1".*`,
		`patch deployments.apps ${suite.namespace}/web by kubernetes-admin: spec.replicas: 2 → 1`,
		`delete deployments.apps ${suite.namespace}/web by ann: 403 deployments.apps "web" is forbidden: .*`,
	])
		expect(text).toMatch(new RegExp(`${at} ${line}$`, "m"));
	expect(text).not.toMatch(/ (events|leases)/);
	expect(suite.timeline.text(1)).toMatch(/^… \d+ earlier writes\n[^\n]+$/);
});

describe("a test that fails", () => {
	const printed = vi.spyOn(process.stderr, "write").mockImplementation(() => true);
	afterAll(() => printed.mockRestore());

	test.fails("prints its writes", async () => {
		await suite.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "printed" } });
		throw new Error("fails");
	});

	test("has printed them", () => {
		const text = printed.mock.calls.map(([line]) => String(line)).join("");
		expect(text).toMatch(/^Writes during prints its writes:$/m);
		expect(text).toMatch(/patch configmaps test-\d+\/printed by kubernetes-admin: created$/m);
	});
});
