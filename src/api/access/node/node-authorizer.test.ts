import { beforeAll, expect, test } from "vitest";
import type { User } from "../../../core/exchange.ts";
import { systemClock } from "../../../core/time/clock.ts";
import { createMemoryStore } from "../../../store/memory.ts";
import { WatchCache } from "../../cache/cache.ts";
import type { ResourceAttributes } from "../../request/authorizer.ts";
import { type Json, type TestApi, testApi } from "../../testing/test-api.ts";
import { NodeGraph } from "./graph.ts";
import { nodeAuthorizer } from "./node-authorizer.ts";
import { nodeUser } from "./node-identity.ts";

let api: TestApi;
let cache: WatchCache;
let authorizer: ReturnType<typeof nodeAuthorizer>;

beforeAll(async () => {
	const store = createMemoryStore();
	api = await testApi({ store, namespaces: ["default", "other"] });
	cache = new WatchCache(store, systemClock({ unref: true }));
	await cache.start();
	authorizer = nodeAuthorizer(new NodeGraph(cache));
	for (const namespace of ["default", "other"])
		await create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: "worker" } });
	await pod("one", "node-1", {
		serviceAccountName: "worker",
		imagePullSecrets: [{ name: "registry" }],
		initContainers: [
			{ name: "init", image: "i", envFrom: [{ secretRef: { name: "from" } }, { configMapRef: { name: "all" } }] },
		],
		containers: [
			{
				name: "main",
				image: "i",
				env: [
					{ name: "A", valueFrom: { secretKeyRef: { name: "variable", key: "a" } } },
					{ name: "B", valueFrom: { configMapKeyRef: { name: "settings", key: "b" } } },
				],
			},
		],
		volumes: [
			{ name: "s", secret: { secretName: "mounted" } },
			{ name: "c", configMap: { name: "files" } },
			{ name: "p", projected: { sources: [{ secret: { name: "projected" } }, { configMap: { name: "part" } }] } },
			{ name: "d", persistentVolumeClaim: { claimName: "data" } },
			{ name: "i", csi: { driver: "d", nodePublishSecretRef: { name: "inline" } } },
			{ name: "r", rbd: { monitors: ["m"], image: "i", secretRef: { name: "rbd" } } },
			{
				name: "e",
				ephemeral: {
					volumeClaimTemplate: {
						spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
					},
				},
			},
		],
	});
	await pod("two", "node-2", {
		containers: [{ name: "main", image: "i", envFrom: [{ secretRef: { name: "elsewhere" } }] }],
	});
	await pod("unbound", undefined, {
		containers: [{ name: "main", image: "i", envFrom: [{ secretRef: { name: "unbound" } }] }],
	});
	await volume("pv-data", "data", { nodeStageSecretRef: { name: "stage", namespace: "storage" } });
	await volume("pv-other", "other", { nodeStageSecretRef: { name: "other", namespace: "storage" } });
	await create("/apis/storage.k8s.io/v1/volumeattachments", {
		metadata: { name: "attached" },
		spec: { attacher: "d", nodeName: "node-1", source: { persistentVolumeName: "pv-data" } },
	});
	for (const node of ["node-1", "node-2"]) await localVolume(`local-${node}`, node);
});

async function create(path: string, body: object): Promise<Json> {
	const answer = await api.ask("POST", path, body);
	expect(answer.status, JSON.stringify(answer.object)).toBe(201);
	await cache.fresh();
	return answer.object;
}

function pod(name: string, nodeName: string | undefined, spec: object, annotations = {}): Promise<Json> {
	return create("/api/v1/namespaces/default/pods", {
		metadata: { name, annotations },
		spec: { serviceAccountName: "worker", automountServiceAccountToken: false, ...(nodeName && { nodeName }), ...spec },
	});
}

const volumeSpec = {
	capacity: { storage: "1Gi" },
	accessModes: ["ReadWriteOnce"],
	persistentVolumeReclaimPolicy: "Retain",
	storageClassName: "",
};

function volume(name: string, claimName: string, secrets: object): Promise<Json> {
	const claimRef = { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: "default", name: claimName };
	const csi = { driver: "d", volumeHandle: name, ...secrets };
	return create("/api/v1/persistentvolumes", { metadata: { name }, spec: { ...volumeSpec, claimRef, csi } });
}

function localVolume(name: string, node: string): Promise<Json> {
	const matchExpressions = [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }];
	return create("/api/v1/persistentvolumes", {
		metadata: { name, annotations: { "pv.kubernetes.io/provisioned-by": "coxswain.io/local" } },
		spec: {
			...volumeSpec,
			local: { path: "/d" },
			nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } },
		},
	});
}

/** @param what `pods/status.GROUP NAMESPACE/NAME?fieldSelector=…`, as far as there are such parts */
async function asks(verb: string, what: string, user: User = nodeUser("node-1")) {
	const [resource = "", place = ""] = what.split(" ");
	const [path = "", query = ""] = place.split("?");
	const [first = "", group = ""] = [resource.replace(/\..*/, ""), resource.split(".").slice(1).join(".")];
	const [plural = "", subresource] = first.split("/");
	const [namespace, name] = path.includes("/") ? path.split("/") : [undefined, path];
	const selectors = new URLSearchParams(query);
	const attributes: ResourceAttributes = {
		group,
		version: "v1",
		plural,
		...(subresource === undefined ? {} : { subresource }),
		...(namespace ? { namespace } : {}),
		...(name ? { name } : {}),
		...(selectors.has("fieldSelector") ? { fieldSelector: selectors.get("fieldSelector") ?? "" } : {}),
		...(selectors.has("labelSelector") ? { labelSelector: selectors.get("labelSelector") ?? "" } : {}),
	};
	const { verdict, reason } = await authorizer.authorize({ user, verb, path: "", resource: attributes });
	return verdict === "allow" ? "allow" : reason;
}

const unrelated = "no relationship found between node 'node-1' and this object";

test.each([
	["get", "secrets default/registry"],
	["get", "secrets default/from"],
	["get", "secrets default/variable"],
	["get", "secrets default/mounted"],
	["get", "secrets default/projected"],
	["get", "secrets default/inline"],
	["get", "secrets default/rbd"],
	["get", "secrets storage/stage"],
	["list", "secrets default/mounted"],
	["watch", "secrets default/mounted"],
	["get", "configmaps default/all"],
	["get", "configmaps default/settings"],
	["get", "configmaps default/files"],
	["watch", "configmaps default/part"],
	["get", "persistentvolumeclaims default/data"],
	["get", "persistentvolumeclaims default/one-e"],
	["update", "persistentvolumeclaims/status default/data"],
	["patch", "persistentvolumeclaims/status default/data"],
	["get", "persistentvolumes pv-data"],
	["update", "persistentvolumes local-node-1"],
	["list", "persistentvolumes ?labelSelector=coxswain.io%2Fnode%3Dnode-1"],
	["watch", "persistentvolumes ?labelSelector=coxswain.io%2Fnode%3Dnode-1"],
	["get", "volumeattachments.storage.k8s.io attached"],
	["create", "serviceaccounts/token default/worker"],
	["get", "serviceaccounts default/worker"],
	["create", "leases.coordination.k8s.io kube-node-lease/"],
	["get", "leases.coordination.k8s.io kube-node-lease/node-1"],
	["update", "leases.coordination.k8s.io kube-node-lease/node-1"],
	["delete", "leases.coordination.k8s.io kube-node-lease/node-1"],
	["create", "csinodes.storage.k8s.io"],
	["patch", "csinodes.storage.k8s.io node-1"],
	["list", "resourceslices.resource.k8s.io ?fieldSelector=spec.nodeName%3Dnode-1"],
	["create", "nodes"],
	["get", "nodes node-1"],
	["watch", "nodes node-1"],
	["patch", "nodes/status node-1"],
	["get", "pods default/one"],
	["list", "pods ?fieldSelector=spec.nodeName%3Dnode-1"],
	["watch", "pods ?fieldSelector=status.phase%3DRunning%2Cspec.nodeName%3Dnode-1"],
	["watch", "pods default/one"],
	["create", "pods default/"],
	["delete", "pods default/two"],
	["patch", "pods/status default/two"],
	["create", "pods/eviction default/one"],
	["list", "services"],
	["create", "events default/"],
	["create", "certificatesigningrequests.certificates.k8s.io"],
	["watch", "runtimeclasses.node.k8s.io"],
	["create", "subjectaccessreviews.authorization.k8s.io"],
])("a node may %s %s", async (verb, what) => {
	expect(await asks(verb, what)).toBe("allow");
});

test.each([
	["get", "secrets default/elsewhere", unrelated],
	["get", "secrets default/unbound", unrelated],
	["get", "secrets other/mounted", unrelated],
	["get", "secrets storage/other", unrelated],
	["get", "secrets default/unknown", unrelated],
	["list", "secrets default/", "No Object name found"],
	["list", "secrets", "can only read namespaced object of this type"],
	["update", "secrets default/mounted", "can only read resources of this type"],
	["delete", "configmaps default/files", "can only read resources of this type"],
	["get", "secrets/status default/mounted", "cannot read subresource"],
	["list", "persistentvolumeclaims default/data", "can only get individual resources of this type"],
	["update", "persistentvolumeclaims default/data", "can only get individual resources of this type"],
	["get", "persistentvolumeclaims/status default/data", "can only get/update/patch this type"],
	["update", "persistentvolumeclaims/status default/other", unrelated],
	["get", "persistentvolumes pv-other", unrelated],
	["update", "persistentvolumes pv-data", "can only get individual resources of this type"],
	["update", "persistentvolumes local-node-2", "can only get individual resources of this type"],
	["list", "persistentvolumes", "can only get individual resources of this type"],
	[
		"list",
		"persistentvolumes ?labelSelector=coxswain.io%2Fnode%3Dnode-2",
		"can only get individual resources of this type",
	],
	["list", "persistentvolumes ?labelSelector=coxswain.io%2Fnode", "can only get individual resources of this type"],
	["get", "volumeattachments.storage.k8s.io unknown", unrelated],
	["create", "serviceaccounts/token other/worker", unrelated],
	["create", "serviceaccounts default/worker", "can only create token subresource of serviceaccount"],
	["list", "serviceaccounts", "can only create tokens for individual service accounts"],
	[
		"list",
		"leases.coordination.k8s.io kube-node-lease/",
		"can only get, create, update, patch, or delete a node lease",
	],
	[
		"get",
		"leases.coordination.k8s.io default/node-1",
		'can only access leases in the "kube-node-lease" system namespace',
	],
	[
		"update",
		"leases.coordination.k8s.io kube-node-lease/node-2",
		"can only access node lease with the same name as the requesting node",
	],
	["get", "csinodes.storage.k8s.io node-2", "can only access CSINode with the same name as the requesting node"],
	["list", "csinodes.storage.k8s.io", "can only get, create, update, patch, or delete a CSINode"],
	["get", "resourceslices.resource.k8s.io one", unrelated],
	[
		"list",
		"resourceslices.resource.k8s.io",
		"can only list/watch/deletecollection resourceslices with nodeName field selector",
	],
	["get", "nodes node-2", "node 'node-1' cannot read 'node-2', only its own Node object"],
	["list", "nodes", "node 'node-1' cannot read all nodes, only its own Node object"],
	["delete", "nodes node-1", ""],
	["get", "nodes/proxy node-1", ""],
	["get", "pods default/two", unrelated],
	["get", "pods default/unbound", unrelated],
	["list", "pods", "can only list/watch pods with spec.nodeName field selector"],
	["list", "pods ?fieldSelector=spec.nodeName%3Dnode-2", "can only list/watch pods with spec.nodeName field selector"],
	[
		"list",
		"pods ?fieldSelector=spec.nodeName%21%3Dnode-1",
		"can only list/watch pods with spec.nodeName field selector",
	],
	["list", "pods ?fieldSelector=%3D%3D%3D", "can only list/watch pods with spec.nodeName field selector"],
	["update", "pods default/one", ""],
	["deletecollection", "pods default/", ""],
	["create", "pods/exec default/one", ""],
	["create", "pods/binding default/one", ""],
	["create", "services default/", ""],
	["list", "namespaces", ""],
	["list", "deployments.apps", ""],
	["create", "clusterrolebindings.rbac.authorization.k8s.io", ""],
])("a node may not %s %s", async (verb, what, reason) => {
	expect(await asks(verb, what)).toBe(reason);
});

test.each([
	["another node", nodeUser("node-2"), unrelated.replace("node-1", "node-2")],
	["a user that only calls itself a node", { name: "system:node:node-1", groups: ["system:authenticated"] }, ""],
	["a member of the nodes' group that is no node", { name: "ann", groups: ["system:nodes"] }, ""],
	["a node without a name", nodeUser(""), 'unknown node for user "system:node:"'],
])("%s may not read what node-1 may", async (_who, user, reason) => {
	expect(await asks("get", "secrets default/mounted", user)).toBe(reason);
});

test("access comes with a pod that is bound and goes with it", async () => {
	await pod("short", undefined, {
		containers: [{ name: "main", image: "i", envFrom: [{ secretRef: { name: "brief" } }] }],
	});
	expect(await asks("get", "secrets default/brief")).toBe(unrelated);
	await create("/api/v1/namespaces/default/pods/short/binding", {
		metadata: { name: "short" },
		target: { apiVersion: "v1", kind: "Node", name: "node-1" },
	});
	expect(await asks("get", "secrets default/brief")).toBe("allow");
	await api.ask("DELETE", "/api/v1/namespaces/default/pods/short?gracePeriodSeconds=0");
	await cache.fresh();
	expect(await asks("get", "secrets default/brief")).toBe(unrelated);
});

test("one of several pods that name a Secret is enough", async () => {
	const spec = { containers: [{ name: "main", image: "i", envFrom: [{ secretRef: { name: "common" } }] }] };
	await pod("first", "node-1", spec);
	await pod("second", "node-1", spec);
	await api.ask("DELETE", "/api/v1/namespaces/default/pods/first?gracePeriodSeconds=0");
	await cache.fresh();
	expect(await asks("get", "secrets default/common")).toBe("allow");
	await api.ask("DELETE", "/api/v1/namespaces/default/pods/second?gracePeriodSeconds=0");
	await cache.fresh();
	expect(await asks("get", "secrets default/common")).toBe(unrelated);
});

test("an ephemeral container gives access to what it names", async () => {
	expect(await asks("get", "secrets default/debug")).toBe(unrelated);
	const ephemeralContainers = [{ name: "debug", image: "i", envFrom: [{ secretRef: { name: "debug" } }] }];
	const path = "/api/v1/namespaces/default/pods/one/ephemeralcontainers";
	const patched = await api.ask(
		"PATCH",
		path,
		{ spec: { ephemeralContainers } },
		{
			type: "application/strategic-merge-patch+json",
		},
	);
	expect(patched.status).toBe(200);
	await cache.fresh();
	expect(await asks("get", "secrets default/debug")).toBe("allow");
});

test("a mirror pod gives access to itself alone", async () => {
	const spec = { containers: [{ name: "main", image: "i", envFrom: [{ configMapRef: { name: "mirrored" } }] }] };
	await pod("mirror", "node-1", { ...spec, serviceAccountName: undefined }, { "kubernetes.io/config.mirror": "hash" });
	expect(await asks("get", "pods default/mirror")).toBe("allow");
	expect(await asks("get", "configmaps default/mirrored")).toBe(unrelated);
});

test("what a node may do is not listed", async () => {
	expect(await authorizer.rulesFor(nodeUser("node-1"), "default")).toEqual({
		resourceRules: [],
		nonResourceRules: [],
		incomplete: true,
		evaluationError: "node authorizer does not support user rule resolution",
	});
});
