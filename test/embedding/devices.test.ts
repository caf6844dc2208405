/** Devices that pods claim (resource.k8s.io), from slices that a test publishes, on simulated nodes. */
import { afterAll, beforeAll, expect, test } from "vitest";
import {
	type Cluster,
	events,
	isReason,
	type KubeObject,
	namespaces,
	pods,
	resourceClaims,
	resourceQuotas,
	resourceSlices,
	startCluster,
	type VirtualTime,
} from "../../src/index.ts";

let cluster: Cluster<VirtualTime>;
beforeAll(async () => {
	cluster = await startCluster({ clock: "virtual", nodes: 2 });
	await cluster.apply("apiVersion: resource.k8s.io/v1\nkind: DeviceClass\nmetadata: { name: any }\nspec: {}\n");
});
afterAll(() => cluster.stop());

const apiVersion = "resource.k8s.io/v1";

/** A namespace, with a driver and a class of its own. */
async function world(name: string, devices: Record<string, object[]>) {
	await cluster.client.create(namespaces, { metadata: { name }, spec: {} });
	const driver = `${name}.example`;
	await cluster.apply([
		{
			apiVersion,
			kind: "DeviceClass",
			metadata: { name },
			spec: { selectors: [{ cel: { expression: `device.driver == "${driver}"` } }] },
		},
		...Object.entries(devices).map(([nodeName, list]) => ({
			apiVersion,
			kind: "ResourceSlice",
			metadata: { name: `${name}-${nodeName}` },
			spec: { driver, nodeName, pool: { name: nodeName, generation: 1, resourceSliceCount: 1 }, devices: list },
		})),
	]);
	const devicesWanted = (more: object = {}) => ({
		requests: [{ name: "r", exactly: { deviceClassName: name, ...more } }],
	});
	return {
		driver,
		template: (more: object = {}) => ({
			apiVersion,
			kind: "ResourceClaimTemplate",
			metadata: { name: "template", namespace: name },
			spec: { spec: { devices: devicesWanted(more) } },
		}),
		claim: (claimName: string, more: object = {}) => ({
			apiVersion,
			kind: "ResourceClaim",
			metadata: { name: claimName, namespace: name },
			spec: { devices: devicesWanted(more) },
		}),
		pod: (podName: string, entry: object) => ({
			apiVersion: "v1",
			kind: "Pod",
			metadata: { name: podName, namespace: name },
			spec: {
				restartPolicy: "Never",
				resourceClaims: [{ name: "gpu", ...entry }],
				containers: [{ name: "main", image: "work", resources: { claims: [{ name: "gpu" }] } }],
			},
		}),
		at: (objectName: string) => ({ namespace: name, name: objectName }),
	};
}

const fromTemplate = { resourceClaimTemplateName: "template" };
const isRunning = (pod: KubeObject & { status?: { phase?: string } }) => pod.status?.phase === "Running";

test("a pod gets a claim from a template and a device on its node, and gives both back", async () => {
	const { template, pod, at, driver } = await world("template", { "node-2": [{ name: "a" }] });
	await cluster.apply([template(), pod("first", fromTemplate)]);
	const running = await cluster.waitFor(pods, at("first"), isRunning);
	expect(running.spec.nodeName).toBe("node-2");
	const [made] = running.status?.resourceClaimStatuses ?? [];
	expect(made).toEqual({ name: "gpu", resourceClaimName: expect.stringMatching(/^first-gpu-/) });
	const claim = await cluster.client.get(resourceClaims, at(made?.resourceClaimName ?? ""));
	expect(claim).toMatchObject({
		metadata: {
			finalizers: ["resource.kubernetes.io/delete-protection"],
			ownerReferences: [{ kind: "Pod", name: "first", controller: true }],
		},
		status: {
			allocation: { devices: { results: [{ request: "r", driver, pool: "node-2", device: "a" }] } },
			reservedFor: [{ resource: "pods", name: "first", uid: running.metadata.uid }],
		},
	});

	await cluster.apply([pod("second", fromTemplate)]);
	const waiting = await cluster.waitFor(
		pods,
		at("second"),
		({ status }) =>
			status?.conditions?.some(({ type, status: is }) => type === "PodScheduled" && is === "False") === true,
	);
	expect(waiting.status?.conditions?.find(({ type }) => type === "PodScheduled")?.message).toBe(
		"0/2 nodes are available: 2 cannot allocate all claims. still not schedulable, " +
			"preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
	);
	await cluster.client.delete(pods, at("first"));
	await cluster.waitFor(pods, at("second"), isRunning);
	await cluster.waitForList(resourceClaims, { namespace: "template" }, (claims) => claims.length === 1);
});

test("pods share a claim, whose devices are given back when it is deleted and the last of them is gone", async () => {
	const { claim, pod, at } = await world("sharing", { "node-1": [{ name: "a" }] });
	const named = { resourceClaimName: "shared" };
	await cluster.apply([claim("shared"), pod("one", named), pod("two", named)]);
	for (const name of ["one", "two"]) await cluster.waitFor(pods, at(name), isRunning);
	const shared = await cluster.client.get(resourceClaims, at("shared"));
	expect(shared.status?.reservedFor?.map(({ name }) => name).sort()).toEqual(["one", "two"]);
	await cluster.client.delete(resourceClaims, at("shared"));
	await cluster.client.delete(pods, at("one"));
	const kept = await cluster.waitFor(resourceClaims, at("shared"), ({ status }) => status?.reservedFor?.length === 1);
	expect(kept.status?.allocation).toBeDefined();
	await cluster.client.delete(pods, at("two"));
	await cluster.waitForList(resourceClaims, { namespace: "sharing" }, (claims) => claims.length === 0);
});

test("pods that have ended give their devices back", async () => {
	const { template, pod, at } = await world("ending", { "node-1": [{ name: "a" }] });
	await cluster.apply([template(), pod("short", fromTemplate)]);
	await cluster.waitForList(resourceClaims, { namespace: "ending" }, (claims) => claims.length === 1);
	await cluster.clock.advance("1m");
	await cluster.waitForList(resourceClaims, { namespace: "ending" }, (claims) => claims.length === 0);
	expect((await cluster.client.get(pods, at("short"))).status?.phase).toBe("Succeeded");
});

test("a pod is bound when its devices are ready, and gets others when they fail", async () => {
	const device = (name: string) => ({ name, bindingConditions: ["d/ready"], bindingFailureConditions: ["d/failed"] });
	const { claim, pod, at, driver } = await world("binding", { "node-1": [device("a")], "node-2": [device("b")] });
	await cluster.apply([claim("one"), pod("first", { resourceClaimName: "one" })]);
	/** As the driver of the device would. */
	const report = async (type: string, from: string | undefined) => {
		const allocated = await cluster.waitFor(resourceClaims, at("one"), ({ status }) => {
			const [result] = status?.allocation?.devices?.results ?? [];
			return result !== undefined && result.device !== from;
		});
		const [result] = allocated.status?.allocation?.devices?.results ?? [];
		const { pool = "", device: name = "" } = result ?? {};
		const lastTransitionTime = "2026-01-01T00:00:00Z";
		const conditions = [{ type, status: "True", reason: "Test", message: "", lastTransitionTime }];
		const devices = [{ driver, pool, device: name, conditions }];
		await cluster.client.updateStatus(resourceClaims, { ...allocated, status: { ...allocated.status, devices } });
		return name;
	};
	const failed = await report("d/failed", undefined);
	expect((await cluster.client.get(pods, at("first"))).spec.nodeName).toBeUndefined();
	await cluster.waitFor(resourceClaims, at("one"), ({ status }) => status?.allocation === undefined);
	await report("d/ready", undefined);
	await cluster.waitFor(pods, at("first"), isRunning);
	expect(["a", "b"]).toContain(failed);
});

test("pods leave a device that is tainted, and others do not come", async () => {
	const { claim, pod, at } = await world("tainted", { "node-1": [{ name: "a" }] });
	await cluster.apply([claim("one"), pod("first", { resourceClaimName: "one" })]);
	await cluster.waitFor(pods, at("first"), isRunning);
	const slice = await cluster.client.get(resourceSlices, { name: "tainted-node-1" });
	const devices = [{ name: "a", taints: [{ key: "tainted.example/broken", effect: "NoExecute" }] }];
	const tainted = await cluster.client.update(resourceSlices, { ...slice, spec: { ...slice.spec, devices } });
	expect(tainted.spec.devices?.[0]?.taints?.[0]?.timeAdded).toBeDefined();
	await cluster.waitFor(pods, at("first"), "deleted");
	await cluster.apply([pod("second", { resourceClaimName: "one" })]);
	await cluster.waitFor(
		pods,
		at("second"),
		({ status }) => status?.conditions?.some(({ message }) => message?.includes("cannot allocate all claims")) === true,
	);
});

test("a pod waits for a claim, a class and devices, and says so", async () => {
	const { claim, pod, at, driver } = await world("waiting", {});
	await cluster.apply([pod("early", { resourceClaimName: "late" })]);
	const says = (text: string) =>
		cluster.waitFor(
			pods,
			at("early"),
			({ status }) => status?.conditions?.some(({ message }) => message?.includes(text)) === true,
		);
	await says('resourceclaim.resource.k8s.io "late" not found');
	await cluster.apply([claim("late", { deviceClassName: "nowhere" })]);
	await says("request r: device class nowhere does not exist");
	await cluster.client.delete(resourceClaims, at("late"));
	await cluster.apply([claim("late")]);
	await says("cannot allocate all claims");
	await cluster.client.create(resourceSlices, {
		metadata: { name: "waiting-late" },
		spec: {
			driver,
			pool: { name: "p", generation: 1, resourceSliceCount: 1 },
			allNodes: true,
			devices: [{ name: "a" }],
		},
	});
	await cluster.waitFor(pods, at("early"), isRunning);
	expect((await cluster.client.get(resourceClaims, at("late"))).status?.allocation?.nodeSelector).toBeUndefined();
});

test("quotas count claims and the devices that they ask for", async () => {
	const { claim } = await world("quota", {});
	const devices = "quota.deviceclass.resource.k8s.io/devices";
	const hard = { "count/resourceclaims.resource.k8s.io": "2", [devices]: "3" };
	await cluster.client.create(resourceQuotas, { metadata: { name: "q", namespace: "quota" }, spec: { hard } });
	await cluster.waitFor(resourceQuotas, "quota/q", ({ status }) => status?.used?.[devices] === "0");
	await cluster.apply([claim("two", { count: 2 })]);
	await expect(cluster.apply([claim("all", { allocationMode: "All" })])).rejects.toThrow(
		`exceeded quota: q, requested: ${devices}=32, used: ${devices}=2, limited: ${devices}=3`,
	);
	await cluster.apply([claim("one")]);
	await expect(cluster.apply([claim("more")])).rejects.toThrow("exceeded quota: q, requested: count/resourceclaims");
});

test("a missing template is reported", async () => {
	const { pod } = await world("reports", {});
	await cluster.apply([pod("lost", fromTemplate)]);
	await cluster.waitForList(events, { namespace: "reports" }, (list) =>
		list.some(
			({ reason, message }) =>
				reason === "FailedResourceClaimCreation" &&
				message?.includes('resourceclaimtemplate.resource.k8s.io "template" not found') === true,
		),
	);
});

test("administrators of marked namespaces see devices that others use; others do not", async () => {
	const { claim, pod, at } = await world("admin", { "node-1": [{ name: "a" }] });
	await cluster.apply([claim("user"), pod("user", { resourceClaimName: "user" })]);
	await cluster.waitFor(pods, at("user"), isRunning);
	const refused = await cluster.apply([claim("monitor", { adminAccess: true })]).catch((error: unknown) => error);
	expect(isReason(refused, "Invalid")).toBe(true);
	expect(String(refused)).toContain(
		"spec.devices.requests[0].adminAccess: Forbidden: admin access to devices requires the " +
			"`resource.kubernetes.io/admin-access: true` label on the containing namespace",
	);
	const labels = { "resource.kubernetes.io/admin-access": "true" };
	await cluster.client.patch(namespaces, { name: "admin" }, { type: "merge", patch: { metadata: { labels } } });
	await cluster.apply([claim("monitor", { adminAccess: true }), pod("monitor", { resourceClaimName: "monitor" })]);
	await cluster.waitFor(pods, at("monitor"), isRunning);
});

test("a node has to do with its own slices, and with the claims of its pods", async () => {
	const { claim, pod, at } = await world("nodes", { "node-1": [{ name: "a" }] });
	await cluster.apply([claim("one"), claim("other"), pod("first", { resourceClaimName: "one" })]);
	await cluster.waitFor(pods, at("first"), isRunning);
	const node = cluster.clientAs({ user: "system:node:node-2", groups: ["system:nodes"] });
	const slice = (nodeName: string) => ({
		metadata: { name: `nodes-of-${nodeName}` },
		spec: { driver: "nodes.example", nodeName, pool: { name: "q", generation: 1, resourceSliceCount: 1 } },
	});
	await expect(node.create(resourceSlices, slice("node-1"))).rejects.toThrow(
		"can only create ResourceSlice with the same NodeName as the requesting node",
	);
	const { metadata } = await node.create(resourceSlices, slice("node-2"));
	const { items } = await node.list(resourceSlices, { fieldSelector: "spec.nodeName=node-2" });
	expect(items.map((item) => item.metadata.name)).toContain(metadata.name);
	await expect(node.list(resourceSlices)).rejects.toThrow("with nodeName field selector");
	await expect(node.get(resourceSlices, { name: "nodes-node-1" })).rejects.toThrow("no relationship found");
	await node.delete(resourceSlices, { name: metadata.name });
	const its = cluster.clientAs({ user: "system:node:node-1", groups: ["system:nodes"] });
	expect((await its.get(resourceClaims, at("one"))).status?.reservedFor).toHaveLength(1);
	await expect(its.get(resourceClaims, at("other"))).rejects.toThrow("no relationship found");
	await expect(node.get(resourceClaims, at("one"))).rejects.toThrow("no relationship found");
});

test("who writes the status of a claim needs the right for that part of it", async () => {
	const { claim, at, driver } = await world("rights", {});
	await cluster.apply([
		claim("mine"),
		{
			apiVersion: "rbac.authorization.k8s.io/v1",
			kind: "ClusterRole",
			metadata: { name: "claim-status" },
			rules: [{ apiGroups: ["resource.k8s.io"], resources: ["resourceclaims", "resourceclaims/status"], verbs: ["*"] }],
		},
		{
			apiVersion: "rbac.authorization.k8s.io/v1",
			kind: "ClusterRoleBinding",
			metadata: { name: "claim-status" },
			roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "claim-status" },
			subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "ann" }],
		},
	]);
	const ann = cluster.clientAs({ user: "ann" });
	const result = { request: "r", driver, pool: "p", device: "a" };
	const write = async (client: typeof ann, status: object) => {
		const current = await client.get(resourceClaims, at("mine"));
		return client.updateStatus(resourceClaims, { ...current, status: { ...current.status, ...status } });
	};
	await expect(write(ann, { allocation: { devices: { results: [result] } } })).rejects.toThrow(
		'changing status.allocation or status.reservedFor requires resource="resourceclaims/binding", verb="update"',
	);
	await write(cluster.client, { allocation: { devices: { results: [result] } } });
	const { request: _, ...device } = result;
	await expect(write(ann, { devices: [device] })).rejects.toThrow(
		'changing status.devices requires resource="resourceclaims/driver", verb="[arbitrary-node:update]"',
	);
});
