/**
 * Every part acts as itself: what agents, controllers and the other parts of a cluster may do, and what they may not.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { controllers } from "../../src/cluster/control-plane/controllers.ts";
import * as identities from "../../src/cluster/control-plane/identities.ts";
import type { User } from "../../src/core/exchange.ts";
import {
	type Client,
	type Cluster,
	configMaps,
	leases,
	nodes,
	persistentVolumeClaims,
	pods,
	secrets,
	serviceAccounts,
	startCluster,
} from "../../src/index.ts";
import { catalog } from "../../src/kinds/catalog.ts";
import { createRegistry } from "../../src/kinds/engine/registry.ts";

const registry = createRegistry(catalog);
const authority = { ca: "", sign: () => "", signToken: () => "" };
const all = controllers({ registry, authority, network: { clusterCidr: "10.244.0.0/16" } });
const accounts = identities.systemAccounts(all);

let cluster: Cluster;
const refusals: string[] = [];

beforeAll(async () => {
	cluster = await startCluster({
		clock: "virtual",
		nodes: 2,
		onError: (what: string, error: unknown) => what.includes("lacks a right") && refusals.push(`${what}: ${error}`),
	});
	for (const node of ["node-1", "node-2"]) {
		await cluster.client.create(secrets, { metadata: { name: `for-${node}`, namespace: "default" } });
		await cluster.client.create(configMaps, { metadata: { name: `for-${node}`, namespace: "default" } });
		await cluster.client.create(serviceAccounts, { metadata: { name: `on-${node}`, namespace: "default" } });
		await cluster.client.create(persistentVolumeClaims, {
			metadata: { name: `on-${node}`, namespace: "default" },
			spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
		});
		await cluster.client.create(pods, {
			metadata: { name: `on-${node}`, namespace: "default" },
			spec: {
				nodeSelector: { "kubernetes.io/hostname": node },
				serviceAccountName: `on-${node}`,
				containers: [
					{
						name: "main",
						image: "busybox",
						envFrom: [{ secretRef: { name: `for-${node}` } }, { configMapRef: { name: `for-${node}` } }],
					},
				],
				volumes: [{ name: "data", persistentVolumeClaim: { claimName: `on-${node}` } }],
			},
		});
		await cluster.waitFor(pods, `on-${node}`, "Ready");
	}
	// What the cluster did until now, it had the right to do.
	expect(refusals).toEqual([]);
});
afterAll(() => cluster?.stop());

const namespace = "default";
const asNode = (name: string) => cluster.clientAs({ user: `system:node:${name}`, groups: ["system:nodes"] });
const forbidden = { reason: "Forbidden" };

describe("an agent", () => {
	const attempts: readonly [string, (client: Client, node: string) => Promise<unknown>][] = [
		[
			"reads a Secret that a pod there names",
			(client, node) => client.get(secrets, { namespace, name: `for-${node}` }),
		],
		[
			"reads a ConfigMap that a pod there names",
			(client, node) => client.get(configMaps, { namespace, name: `for-${node}` }),
		],
		[
			"reads a claim of a pod there",
			(client, node) => client.get(persistentVolumeClaims, { namespace, name: `on-${node}` }),
		],
		["reads a pod there", (client, node) => client.get(pods, { namespace, name: `on-${node}` })],
		["lists the pods there", (client, node) => client.list(pods, { fieldSelector: `spec.nodeName=${node}` })],
		["reads its Node", (client, node) => client.get(nodes, { name: node })],
		["reads its Lease", (client, node) => client.get(leases, { namespace: "kube-node-lease", name: node })],
		[
			"writes its Node's labels",
			(client, node) =>
				client.patch(nodes, { name: node }, { type: "merge", patch: { metadata: { labels: { a: node } } } }),
		],
		[
			"writes the status of its pod",
			(client, node) =>
				client.patch(
					pods,
					{ namespace, name: `on-${node}` },
					{ type: "strategic", patch: { status: { message: node } } },
					"status",
				),
		],
		[
			"gets a token for a pod there",
			async (client, node) => {
				const pod = await cluster.client.get(pods, { namespace, name: `on-${node}` });
				const boundObjectRef = { apiVersion: "v1", kind: "Pod", name: pod.metadata.name, uid: pod.metadata.uid };
				const ref = { namespace, name: `on-${node}` };
				return client.createSubresource(serviceAccounts, ref, "token", { spec: { boundObjectRef } });
			},
		],
	];

	test.each(attempts)("%s, and not the like of another node", async (_what, attempt) => {
		await attempt(asNode("node-1"), "node-1");
		await expect(attempt(asNode("node-1"), "node-2")).rejects.toMatchObject(forbidden);
		await expect(attempt(asNode("node-2"), "node-1")).rejects.toMatchObject(forbidden);
	});

	test.each([
		["lists all Secrets of a namespace", (client: Client) => client.list(secrets, { namespace })],
		["lists all pods", (client: Client) => client.list(pods)],
		["lists all nodes", (client: Client) => client.list(nodes)],
		[
			"changes a Secret that its pod names",
			(client: Client) => client.delete(secrets, { namespace, name: "for-node-1" }),
		],
		["deletes its Node", (client: Client) => client.delete(nodes, { name: "node-1" })],
		[
			"makes a pod that is no mirror",
			(client: Client) =>
				client.create(pods, {
					metadata: { name: "own", namespace },
					spec: { nodeName: "node-1", containers: [{ name: "c", image: "i" }] },
				}),
		],
		[
			"gives itself labels that steer pods",
			(client: Client) =>
				client.patch(
					nodes,
					{ name: "node-1" },
					{
						type: "merge",
						patch: { metadata: { labels: { "node-restriction.kubernetes.io/team": "a" } } },
					},
				),
		],
		[
			"takes taints off itself",
			(client: Client) =>
				client.patch(
					nodes,
					{ name: "node-1" },
					{ type: "merge", patch: { spec: { taints: [{ key: "a", effect: "NoSchedule" }] } } },
				),
		],
		[
			"opens a shell in its pod",
			(client: Client) => client.raw("POST", "/api/v1/namespaces/default/pods/on-node-1/exec?command=sh"),
		],
		[
			"reads what it may not through its own proxy",
			(client: Client) => client.raw("GET", "/api/v1/nodes/node-1/proxy/pods"),
		],
	])("in no way %s", async (_what, attempt) => {
		await expect(attempt(asNode("node-1"))).rejects.toMatchObject(forbidden);
	});
});

/** What would lead to everything else. */
const keysToTheHouse: readonly [string, { verb: string; group?: string; resource: string; subresource?: string }][] = [
	["read Secrets", { verb: "get", resource: "secrets" }],
	["list Secrets", { verb: "list", resource: "secrets" }],
	["make pods", { verb: "create", resource: "pods" }],
	["exec", { verb: "create", resource: "pods", subresource: "exec" }],
	["proxy to nodes", { verb: "get", resource: "nodes", subresource: "proxy" }],
	["make tokens", { verb: "create", resource: "serviceaccounts", subresource: "token" }],
	["bind roles", { verb: "create", group: "rbac.authorization.k8s.io", resource: "clusterrolebindings" }],
	["change roles", { verb: "update", group: "rbac.authorization.k8s.io", resource: "clusterroles" }],
	["impersonate", { verb: "impersonate", resource: "users" }],
	["sign certificates", { verb: "sign", group: "certificates.k8s.io", resource: "signers" }],
	["change nodes", { verb: "patch", resource: "nodes" }],
	["delete namespaces", { verb: "delete", resource: "namespaces" }],
];

/** Who has which of them: everything that is not here, nobody has. */
const holders: Readonly<Record<string, readonly string[]>> = {
	"clusterrole-aggregation-controller": ["change roles"],
	cox: ["change nodes"],
	"cronjob-controller": [],
	"daemon-set-controller": ["make pods"],
	// Upstream's collector may read and change whatever has an owner, but make nothing.
	"generic-garbage-collector": [
		"read Secrets",
		"list Secrets",
		"change roles",
		"change nodes",
		"delete namespaces",
		"proxy to nodes",
	],
	"job-controller": ["make pods"],
	// Those that policies name, wherever; it may not look around for others.
	"notification-controller": ["read Secrets"],
	"metrics-server": ["proxy to nodes"],
	// Upstream's, too, may read and delete everything in a namespace.
	"namespace-controller": ["read Secrets", "list Secrets", "delete namespaces", "proxy to nodes"],
	"node-controller": ["change nodes"],
	// Upstream's would make pods that recycle volumes; here it makes none.
	"persistent-volume-binder": ["make pods"],
	"replicaset-controller": ["make pods"],
	"replication-controller": ["make pods"],
	"resourcequota-controller": ["list Secrets"],
	"simulated-nodes": ["list Secrets"],
	"statefulset-controller": ["make pods"],
	"system:kube-controller-manager": ["read Secrets", "list Secrets", "make tokens"],
};

const parts: readonly User[] = [
	...accounts.map((name) => identities.serviceAccount(name)),
	identities.controllerManager,
	identities.scheduler,
	identities.serviceProxy,
];

test.each(parts.map((user) => [user.name.replace("system:serviceaccount:kube-system:", ""), user] as const))(
	"%s holds no other keys to the house than its role gives it",
	async (name, user) => {
		const held: string[] = [];
		for (const [what, attributes] of keysToTheHouse) {
			const resourceAttributes = { namespace: "default", ...attributes };
			const review = { spec: { user: user.name, groups: user.groups, resourceAttributes } };
			// The answer is the review with a status.
			const { status } = (await cluster.client.raw(
				"POST",
				"/apis/authorization.k8s.io/v1/subjectaccessreviews",
				review,
			)) as { status: { allowed: boolean } };
			if (status.allowed) held.push(what);
		}
		expect(held.sort()).toEqual([...(holders[name] ?? [])].sort());
	},
);

test("every account that acts is there", async () => {
	const { items } = await cluster.client.list(serviceAccounts, { namespace: "kube-system" });
	expect(items.map(({ metadata }) => metadata.name)).toEqual(expect.arrayContaining(accounts));
});

test("nobody but the server while it starts, and the administrator, is in system:masters", () => {
	const users = [
		...Object.values(identities).filter(isUser),
		...all.map(identities.controllerUser),
		identities.nodeUser("a"),
	];
	const masters = users.filter(({ groups }) => groups.includes("system:masters"));
	expect(masters.map(({ name }) => name).sort()).toEqual(["kubernetes-admin", "system:apiserver"]);
});

test("what a part of the cluster lacks the right to is reported, what others lack is not", async () => {
	refusals.length = 0;
	await expect(cluster.clientAs({ user: "ann" }).list(secrets)).rejects.toMatchObject(forbidden);
	expect(refusals).toEqual([]);
	await expect(cluster.clientAs({ user: "system:kube-scheduler" }).list(secrets)).rejects.toMatchObject(forbidden);
	expect(refusals).toEqual([expect.stringContaining("system:kube-scheduler lacks a right")]);
});

function isUser(value: unknown): value is User {
	return typeof value === "object" && value !== null && "groups" in value;
}
