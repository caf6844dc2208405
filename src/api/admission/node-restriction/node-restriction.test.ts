import { expect, test } from "vitest";
import { nodeUser } from "../../access/node/node-identity.ts";
import { type Answer, type AskOptions, type Json, type TestApi, testApi } from "../../testing/test-api.ts";

const strategic = "application/strategic-merge-patch+json";
const merge = "application/merge-patch+json";
const asNode: AskOptions = { user: nodeUser("node-1") };

async function cluster(): Promise<TestApi & { made(path: string, body: object): Promise<Json> }> {
	const api = await testApi({ namespaces: ["default", "kube-node-lease"] });
	const made = async (path: string, body: object) => {
		const answer = await api.ask("POST", path, body);
		expect(answer.status, JSON.stringify(answer.object)).toBe(201);
		return answer.object;
	};
	await made("/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
	for (const name of ["node-1", "node-2"]) await made("/api/v1/nodes", { metadata: { name } });
	for (const [name, nodeName] of [
		["mine", "node-1"],
		["theirs", "node-2"],
	])
		await made("/api/v1/namespaces/default/pods", {
			metadata: { name },
			spec: {
				nodeName,
				containers: [{ name: "main", image: "i" }],
				automountServiceAccountToken: false,
				volumes: [
					{
						name: "vault",
						projected: {
							sources: [
								{ serviceAccountToken: { path: "t", audience: "vault" } },
								{ serviceAccountToken: { path: "u" } },
							],
						},
					},
				],
			},
		});
	return { ...api, made };
}

function refusal({ status, object }: Answer): string {
	expect(status, JSON.stringify(object)).toBe(403);
	return object.message.replace(/^.* is forbidden: /, "");
}

const pods = "/api/v1/namespaces/default/pods";
const leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";

test("a node registers and changes itself, and no other", async () => {
	const api = await cluster();
	const node3 = { user: nodeUser("node-3") };
	const labels = { "kubernetes.io/hostname": "node-3", "topology.kubernetes.io/zone": "a", "example.com/disk": "ssd" };
	const taints = [{ key: "slow", effect: "NoSchedule" }];
	expect(
		(await api.ask("POST", "/api/v1/nodes", { metadata: { name: "node-3", labels }, spec: { taints } }, node3)).status,
	).toBe(201);
	expect(refusal(await api.ask("POST", "/api/v1/nodes", { metadata: { name: "node-4" } }, node3))).toBe(
		'node "node-3" is not allowed to modify node "node-4"',
	);
	const change = { metadata: { labels: { "node.kubernetes.io/any": "x", "sub.kubelet.kubernetes.io/any": "x" } } };
	expect((await api.ask("PATCH", "/api/v1/nodes/node-3", change, { ...node3, type: merge })).status).toBe(200);
	const status = { status: { capacity: { cpu: "1" } } };
	expect((await api.ask("PATCH", "/api/v1/nodes/node-3/status", status, { ...node3, type: strategic })).status).toBe(
		200,
	);
	for (const path of ["/api/v1/nodes/node-2", "/api/v1/nodes/node-2/status"])
		expect(refusal(await api.ask("PATCH", path, { ...change, ...status }, { ...node3, type: merge }))).toBe(
			'node "node-3" is not allowed to modify node "node-2"',
		);
	await api.close();
});

test.each([
	["node-restriction.kubernetes.io/team"],
	["a.node-restriction.kubernetes.io/team"],
	["node-role.kubernetes.io/control-plane"],
	["kubernetes.io/whatever"],
	["k8s.io/whatever"],
	["sub.k8s.io/whatever"],
])("a node does not label itself %s", async (label) => {
	const api = await cluster();
	const labels = { [label]: "x", "example.com/ok": "x" };
	expect(
		refusal(
			await api.ask("POST", "/api/v1/nodes", { metadata: { name: "node-3", labels } }, { user: nodeUser("node-3") }),
		),
	).toBe(`node "node-3" is not allowed to set the following labels: ${label}`);
	const patch = { ...asNode, type: merge };
	expect(refusal(await api.ask("PATCH", "/api/v1/nodes/node-1", { metadata: { labels } }, patch))).toBe(
		`is not allowed to modify labels: ${label}`,
	);
	await api.ask("PATCH", "/api/v1/nodes/node-1", { metadata: { labels } }, { type: merge });
	const removal = { metadata: { labels: { [label]: null } } };
	expect(refusal(await api.ask("PATCH", "/api/v1/nodes/node-1", removal, patch))).toBe(
		`is not allowed to modify labels: ${label}`,
	);
	// What is there already may stay.
	expect((await api.ask("PATCH", "/api/v1/nodes/node-1", { metadata: { labels: { a: "b" } } }, patch)).status).toBe(
		200,
	);
	await api.close();
});

test("a node changes neither its taints nor its owners", async () => {
	const api = await cluster();
	const taints = { spec: { taints: [{ key: "mine", effect: "NoSchedule" }] } };
	const patch = { ...asNode, type: merge };
	expect(refusal(await api.ask("PATCH", "/api/v1/nodes/node-1", taints, patch))).toBe(
		'node "node-1" is not allowed to modify taints',
	);
	const ownerReferences = [{ apiVersion: "v1", kind: "Node", name: "node-2", uid: "u" }];
	expect(refusal(await api.ask("PATCH", "/api/v1/nodes/node-1", { metadata: { ownerReferences } }, patch))).toBe(
		'node "node-1" is not allowed to modify ownerReferences',
	);
	// Nobody else is held to that.
	expect((await api.ask("PATCH", "/api/v1/nodes/node-1", taints, { type: merge })).status).toBe(200);
	await api.close();
});

test("a node reports on, deletes and evicts pods of its own only", async () => {
	const api = await cluster();
	const status = { status: { phase: "Running" } };
	const patch = { ...asNode, type: strategic };
	expect((await api.ask("PATCH", `${pods}/mine/status`, status, patch)).status).toBe(200);
	expect(refusal(await api.ask("PATCH", `${pods}/theirs/status`, status, patch))).toBe(
		'node "node-1" can only update pod status for pods with spec.nodeName set to itself',
	);
	const relabelled = { metadata: { labels: { app: "other" } }, ...status };
	expect(refusal(await api.ask("PATCH", `${pods}/mine/status`, relabelled, patch))).toBe(
		'node "node-1" cannot update labels through pod status',
	);
	const ownerReferences = [{ apiVersion: "v1", kind: "Node", name: "node-2", uid: "u" }];
	const owned = await api.ask("PATCH", `${pods}/mine/status`, { metadata: { ownerReferences }, ...status }, patch);
	expect([owned.status, owned.object.metadata.ownerReferences]).toEqual([200, undefined]);
	const claims = { status: { resourceClaimStatuses: [{ name: "c", resourceClaimName: "other" }] } };
	expect(refusal(await api.ask("PATCH", `${pods}/mine/status`, claims, patch))).toBe(
		'node "node-1" cannot update resource claim statues',
	);
	expect(refusal(await api.ask("PATCH", `${pods}/mine`, relabelled, patch))).toBe(
		'unexpected operation "UPDATE", node "node-1" can only create and delete mirror pods',
	);
	expect(refusal(await api.ask("DELETE", `${pods}/theirs`, undefined, asNode))).toBe(
		'node "node-1" can only delete pods with spec.nodeName set to itself',
	);
	const evict = (name: string) =>
		api.ask(
			"POST",
			`${pods}/${name}/eviction`,
			{ apiVersion: "policy/v1", kind: "Eviction", metadata: { name } },
			asNode,
		);
	expect(refusal(await evict("theirs"))).toBe("node node-1 can only evict pods with spec.nodeName set to itself");
	expect((await api.ask("GET", `${pods}/theirs`)).object.status.conditions ?? []).toEqual([]);
	expect((await evict("mine")).status).toBe(201);
	expect((await api.ask("DELETE", `${pods}/mine?gracePeriodSeconds=0`, undefined, asNode)).status).toBe(200);
	await api.close();
});

test("a node creates mirror pods of its own, which name nothing", async () => {
	const api = await cluster();
	const { uid } = (await api.ask("GET", "/api/v1/nodes/node-1")).object.metadata;
	const owner = { apiVersion: "v1", kind: "Node", name: "node-1", uid, controller: true };
	const pod = (name: string, { metadata = {}, spec = {}, owners = [owner] as object[] } = {}) => ({
		metadata: { name, annotations: { "kubernetes.io/config.mirror": "hash" }, ownerReferences: owners, ...metadata },
		spec: { nodeName: "node-1", containers: [{ name: "main", image: "i" }], ...spec },
	});
	const create = (body: object) => api.ask("POST", pods, body, asNode);
	expect((await create(pod("mirror"))).status).toBe(201);
	const envFrom = (source: object) => ({ containers: [{ name: "main", image: "i", envFrom: [source] }] });
	const volume = (source: object) => ({ volumes: [{ name: "v", ...source }] });
	const only = 'node "node-1" can only create pods with';
	const cannot = 'node "node-1" can not create pods that reference';
	for (const [body, why] of [
		[
			pod("a", { metadata: { annotations: {} } }),
			'pod does not have "kubernetes.io/config.mirror" annotation, node "node-1" can only create mirror pods',
		],
		[pod("a", { spec: { nodeName: "node-2" } }), `${only} spec.nodeName set to itself`],
		[pod("a", { owners: [] }), `${only} an owner reference set to itself`],
		[
			pod("a", { owners: [owner, { ...owner, uid: "x", controller: false }] }),
			`${only} a single owner reference set to itself`,
		],
		[pod("a", { owners: [{ ...owner, name: "node-2" }] }), `${only} an owner reference set to itself`],
		[pod("a", { owners: [{ ...owner, controller: false }] }), `${only} a controller owner reference set to itself`],
		[
			pod("a", { owners: [{ ...owner, blockOwnerDeletion: true }] }),
			'node "node-1" must not set blockOwnerDeletion on an owner reference',
		],
		[pod("a", { owners: [{ ...owner, uid: "x" }] }), `node node-1 UID mismatch: expected x got ${uid}`],
		[pod("a", { spec: { serviceAccountName: "default" } }), "a mirror pod may not reference service accounts"],
		[pod("a", { spec: envFrom({ secretRef: { name: "s" } }) }), "a mirror pod may not reference secrets"],
		[pod("a", { spec: envFrom({ configMapRef: { name: "c" } }) }), `${cannot} configmaps`],
		[
			pod("a", { spec: volume({ projected: { sources: [{ serviceAccountToken: { path: "t" } }] } }) }),
			"a mirror pod may not use service account token volume projections",
		],
		[pod("a", { spec: { resourceClaims: [{ name: "gpu", resourceClaimName: "c" }] } }), `${cannot} resourceclaims`],
		[pod("a", { spec: volume({ persistentVolumeClaim: { claimName: "c" } }) }), `${cannot} persistentvolumeclaims`],
	] as const)
		expect(refusal(await create(body))).toBe(why);
	await api.close();
});

test("a node has a Lease and a CSINode of its own name", async () => {
	const api = await cluster();
	for (const [path, what] of [
		[leases, "node lease"],
		["/apis/storage.k8s.io/v1/csinodes", "CSINode"],
	]) {
		const body = (name: string) => ({ metadata: { name }, spec: what === "CSINode" ? { drivers: [] } : {} });
		expect((await api.ask("POST", path ?? "", body("node-1"), asNode)).status).toBe(201);
		expect(refusal(await api.ask("POST", path ?? "", body("node-2"), asNode))).toBe(
			`can only access ${what} with the same name as the requesting node`,
		);
		await api.made(path ?? "", body("node-2"));
		const label = { metadata: { labels: { a: "b" } } };
		expect((await api.ask("PATCH", `${path}/node-1`, label, { ...asNode, type: merge })).status).toBe(200);
		expect(refusal(await api.ask("PATCH", `${path}/node-2`, label, { ...asNode, type: merge }))).toContain(what);
		expect(refusal(await api.ask("DELETE", `${path}/node-2`, undefined, asNode))).toContain(what);
	}
	const elsewhere = leases.replace("kube-node-lease", "default");
	expect(refusal(await api.ask("POST", elsewhere, { metadata: { name: "node-1" }, spec: {} }, asNode))).toContain(
		'can only access leases in the "kube-node-lease" system namespace',
	);
	await api.close();
});

test("a node gets tokens for its own pods, for audiences that those name", async () => {
	const api = await cluster();
	const uid = (await api.ask("GET", `${pods}/mine`)).object.metadata.uid;
	const theirs = (await api.ask("GET", `${pods}/theirs`)).object.metadata.uid;
	const bound = (name: string, uid: string) => ({ apiVersion: "v1", kind: "Pod", name, ...(uid && { uid }) });
	const ask = (spec: object, user = asNode) =>
		api.ask("POST", "/api/v1/namespaces/default/serviceaccounts/default/token", { spec }, user);
	const boundObjectRef = bound("mine", uid);
	for (const audiences of [[], ["vault"]]) expect((await ask({ audiences, boundObjectRef })).status).toBe(201);
	for (const [spec, why] of [
		[{}, "node requested token not bound to a pod"],
		[
			{ boundObjectRef: { ...boundObjectRef, kind: "Node", name: "node-1" } },
			"node requested token not bound to a pod",
		],
		[{ boundObjectRef: bound("mine", "") }, "node requested token with a pod binding without a uid"],
		[{ boundObjectRef: bound("theirs", theirs) }, "node requested token bound to a pod scheduled on a different node"],
		[{ audiences: ["vault", "other"], boundObjectRef }, "node may only request 0 or 1 audiences"],
	] as const)
		expect(refusal(await ask(spec))).toBe(why);
	expect(refusal(await ask({ boundObjectRef: bound("mine", theirs) }))).toContain(`(${theirs}) does not match the UID`);
	expect((await ask({ boundObjectRef: bound("gone", uid) })).status).toBe(404);
	expect((await ask({}, {})).status).toBe(201);
	await api.close();
});

test("a node writes the size of a claim, and nothing else of it", async () => {
	const api = await cluster();
	const path = "/api/v1/namespaces/default/persistentvolumeclaims";
	const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, storageClassName: "x" };
	await api.made(path, { metadata: { name: "data" }, spec });
	const patch = { ...asNode, type: merge };
	const size = { status: { capacity: { storage: "2Gi" } } };
	expect((await api.ask("PATCH", `${path}/data/status`, size, patch)).status).toBe(200);
	const why = 'node "node-1" is not allowed to update fields other than status.capacity and status.conditions';
	for (const more of [
		{ status: { phase: "Lost" } },
		{ metadata: { labels: { a: "b" } } },
		{ metadata: { finalizers: [] } },
	])
		expect(refusal(await api.ask("PATCH", `${path}/data/status`, { ...size, ...more }, patch))).toBe(why);
	expect(refusal(await api.ask("PATCH", `${path}/data`, { metadata: { labels: { a: "b" } } }, patch))).toBe(
		"may only update PVC status",
	);
	await api.close();
});

test("a node lets local volumes of its own go, once they are deleted", async () => {
	const api = await cluster();
	const path = "/api/v1/persistentvolumes";
	const finalizer = "coxswain.io/local-volume";
	for (const node of ["node-1", "node-2"]) {
		const matchExpressions = [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }];
		await api.made(path, {
			metadata: {
				name: node,
				annotations: { "pv.kubernetes.io/provisioned-by": "coxswain.io/local" },
				finalizers: ["example.com/keep", finalizer],
			},
			spec: {
				capacity: { storage: "1Gi" },
				accessModes: ["ReadWriteOnce"],
				storageClassName: "",
				local: { path: "/d" },
				nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } },
			},
		});
	}
	const patch = { ...asNode, type: merge };
	const kept = ["example.com/keep", "kubernetes.io/pv-protection"];
	const letGo = { metadata: { finalizers: kept } };
	expect(refusal(await api.ask("PATCH", `${path}/node-1`, letGo, patch))).toContain("that are being deleted");
	for (const node of ["node-1", "node-2"]) await api.ask("DELETE", `${path}/${node}`);
	expect(refusal(await api.ask("PATCH", `${path}/node-2`, letGo, patch))).toContain("its own local volumes");
	for (const more of [
		{ metadata: { finalizers: null } },
		{ metadata: { finalizers: kept, labels: { a: "b" } } },
		{ ...letGo, spec: { persistentVolumeReclaimPolicy: "Delete" } },
	])
		expect(refusal(await api.ask("PATCH", `${path}/node-1`, more, patch))).toContain(finalizer);
	expect((await api.ask("PATCH", `${path}/node-1`, letGo, patch)).status).toBe(200);
	await api.close();
});
