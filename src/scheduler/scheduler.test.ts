/** The scheduler on a real API server, in virtual time. */
import { afterEach, describe, expect, test } from "vitest";
import { createApi } from "../api/handle.ts";
import type { Client } from "../client/client.ts";
import { createInformerCache } from "../client/informer.ts";
import { createClient } from "../client/requests.ts";
import { memoryTransport } from "../client/transports/memory.ts";
import type { Draft } from "../core/object.ts";
import { VirtualClock } from "../core/time/virtual-clock.ts";
import { catalog } from "../kinds/catalog.ts";
import { namespaces } from "../kinds/core/namespace.ts";
import { nodes } from "../kinds/core/node.ts";
import { priorityClasses } from "../kinds/core/priorityclass.ts";
import { serviceAccounts } from "../kinds/core/serviceaccount.ts";
import { createRegistry } from "../kinds/engine/registry.ts";
import type { Node, Pod, PodSpec } from "../kinds/generated/types.ts";
import { pods } from "../kinds/pod/pod.ts";
import { persistentVolumes } from "../kinds/storage/persistentvolume.ts";
import { persistentVolumeClaims } from "../kinds/storage/persistentvolumeclaim.ts";
import { storageClasses } from "../kinds/storage/storageclass.ts";
import { createMemoryStore } from "../store/memory.ts";
import { startScheduler } from "./scheduler.ts";

interface Rig {
	client: Client;
	clock: VirtualClock;
	/** `Reason object: message`, in order. */
	events: string[];
	addNode(name: string, more?: { cpu?: string; pods?: string; labels?: Record<string, string> }): Promise<Node>;
	addPod(name: string, spec?: Partial<PodSpec>, labels?: Record<string, string>): Promise<Pod>;
	pod(name: string): Promise<Pod>;
	nodeOf(name: string): Promise<string | undefined>;
}

const closings: (() => Promise<void>)[] = [];
afterEach(async () => {
	for (const close of closings.splice(0)) await close();
});

async function rig(): Promise<Rig> {
	const clock = new VirtualClock({ seed: 3 });
	const api = await createApi({
		store: createMemoryStore(),
		clock,
		registry: createRegistry(catalog),
		serviceCidr: "10.96.0.0/16",
	});
	const user = { name: "test", groups: ["system:masters", "system:authenticated"] };
	const client = createClient(memoryTransport(api.handle, user), { clock });
	await client.create(namespaces, { metadata: { name: "default" }, spec: {} }).catch(() => undefined);
	await client.create(serviceAccounts, { metadata: { name: "default", namespace: "default" } });
	const informers = createInformerCache(client, { clock });
	const events: string[] = [];
	const scheduler = startScheduler({
		client,
		informers,
		clock,
		recordEvent: ({ metadata }, { reason, message }) => events.push(`${reason} ${metadata.name}: ${message}`),
	});
	closings.push(async () => {
		await scheduler.stop();
		informers.close();
		await api.close();
	});
	await clock.advance(1000);
	const pod = (name: string) => client.get(pods, { namespace: "default", name });
	return {
		client,
		clock,
		events,
		async addNode(name, more = {}) {
			const labels = { "kubernetes.io/hostname": name, ...more.labels };
			const node = await client.create(nodes, { metadata: { name, labels }, spec: {} });
			const allocatable = { cpu: more.cpu ?? "4", memory: "8Gi", pods: more.pods ?? "110" };
			const status = { allocatable, capacity: allocatable };
			// The server taints new nodes until they are ready.
			await client.patch(nodes, { name }, { type: "merge", patch: { spec: { taints: null } } });
			return client.updateStatus(nodes, { ...node, metadata: { ...node.metadata, resourceVersion: "" }, status });
		},
		addPod(name, spec, labels) {
			const draft: Draft<Pod> = {
				metadata: { name, namespace: "default", ...(labels === undefined ? {} : { labels }) },
				spec: { containers: [{ name: "main", image: "busybox" }], ...spec },
			};
			return client.create(pods, draft);
		},
		pod,
		nodeOf: async (name) => (await pod(name)).spec.nodeName,
	};
}

const asking = (cpu: string): Partial<PodSpec> => ({
	containers: [{ name: "main", image: "busybox", resources: { requests: { cpu } } }],
});

describe("scheduler", () => {
	test("binds a pod, says so, and leaves the condition to the binding", async () => {
		const { addNode, addPod, clock, events, pod } = await rig();
		await addNode("node-1");
		await addPod("web");
		await clock.advance(10);
		const { spec, status } = await pod("web");
		expect(spec.nodeName).toBe("node-1");
		expect(status?.conditions?.find(({ type }) => type === "PodScheduled")?.status).toBe("True");
		expect(events).toEqual(["Scheduled web: Successfully assigned default/web to node-1"]);
	});

	test("says why a pod has no node, and tries again when a node comes, not before", async () => {
		const { addNode, addPod, clock, events, pod, nodeOf } = await rig();
		await addNode("small", { cpu: "1" });
		await addPod("large", asking("2"));
		await clock.advance(3_600_000);
		const message =
			"0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
		expect(events).toEqual([`FailedScheduling large: ${message}`]);
		const condition = (await pod("large")).status?.conditions?.find(({ type }) => type === "PodScheduled");
		expect(condition).toMatchObject({ status: "False", reason: "Unschedulable", message });
		await addNode("big");
		await clock.advance(10);
		expect(await nodeOf("large")).toBe("big");
	});

	test("a pod that ends makes room", async () => {
		const { addNode, addPod, clock, client, nodeOf } = await rig();
		await addNode("node-1", { cpu: "1" });
		await addPod("first", asking("1"));
		await clock.advance(10);
		await addPod("second", asking("1"));
		await clock.advance(10);
		expect(await nodeOf("second")).toBeUndefined();
		const ref = { namespace: "default", name: "first" };
		await client.patch(pods, ref, { type: "merge", patch: { status: { phase: "Succeeded" } } }, "status");
		await clock.advance(2000);
		expect(await nodeOf("second")).toBe("node-1");
	});

	test("plans on what it has decided, not only on what it has seen", async () => {
		const { addNode, addPod, clock, client } = await rig();
		for (const name of ["a", "b", "c"]) await addNode(name, { pods: "10" });
		await Promise.all(Array.from({ length: 30 }, (_, number) => addPod(`pod-${number}`)));
		await clock.advance(10);
		const placed = new Map<string, number>();
		for (const { spec } of (await client.list(pods)).items)
			placed.set(spec.nodeName ?? "none", (placed.get(spec.nodeName ?? "none") ?? 0) + 1);
		expect([...placed].sort()).toEqual([
			["a", 10],
			["b", 10],
			["c", 10],
		]);
	});

	test("a gated pod waits until the last gate is gone", async () => {
		const { addNode, addPod, clock, client, events, nodeOf } = await rig();
		await addNode("node-1");
		await addPod("gated", { schedulingGates: [{ name: "example.com/later" }] });
		await clock.advance(10);
		expect(events).toEqual([]);
		const ref = { namespace: "default", name: "gated" };
		await client.patch(pods, ref, { type: "json", operations: [{ op: "remove", path: "/spec/schedulingGates" }] });
		await clock.advance(10);
		expect(await nodeOf("gated")).toBe("node-1");
	});

	test("leaves pods of other schedulers alone", async () => {
		const { addNode, addPod, clock, events, nodeOf } = await rig();
		await addNode("node-1");
		await addPod("foreign", { schedulerName: "other" });
		await clock.advance(10_000);
		expect(await nodeOf("foreign")).toBeUndefined();
		expect(events).toEqual([]);
	});

	test("chooses the node for a claim that waits for its pod, and binds the pod once the claim is bound", async () => {
		const { addNode, addPod, clock, client, nodeOf } = await rig();
		await addNode("node-1");
		await client.create(storageClasses, {
			metadata: { name: "local" },
			provisioner: "example.com/local",
			volumeBindingMode: "WaitForFirstConsumer",
		});
		const ref = { namespace: "default", name: "data" };
		await client.create(persistentVolumeClaims, {
			metadata: ref,
			spec: {
				storageClassName: "local",
				accessModes: ["ReadWriteOnce"],
				resources: { requests: { storage: "1Gi" } },
			},
		});
		await addPod("db", { volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }] });
		await clock.advance(10);
		const claim = await client.get(persistentVolumeClaims, ref);
		expect(claim.metadata.annotations?.["volume.kubernetes.io/selected-node"]).toBe("node-1");
		expect(await nodeOf("db")).toBeUndefined();
		await client.create(persistentVolumes, {
			metadata: { name: "volume-1" },
			spec: { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" }, hostPath: { path: "/data" } },
		});
		const annotations = { "pv.kubernetes.io/bind-completed": "yes" };
		await client.patch(persistentVolumeClaims, ref, {
			type: "merge",
			patch: { metadata: { annotations }, spec: { volumeName: "volume-1" } },
		});
		await clock.advance(10);
		expect(await nodeOf("db")).toBe("node-1");
	});

	test("makes room for a pod of higher priority and keeps it for that pod", async () => {
		const { addNode, addPod, clock, client, events, pod, nodeOf } = await rig();
		await addNode("node-1", { cpu: "1" });
		const low = await addPod("low", asking("1"));
		await clock.advance(10);
		await client.create(priorityClasses, { metadata: { name: "important" }, value: 1000 });
		const high = await addPod("high", { ...asking("1"), priorityClassName: "important" });
		await clock.advance(10);
		const victim = await pod("low");
		expect(victim.metadata.uid).toBe(low.metadata.uid);
		expect(victim.metadata.deletionTimestamp).toBeDefined();
		expect(victim.status?.conditions?.find(({ type }) => type === "DisruptionTarget")?.reason).toBe(
			"PreemptionByScheduler",
		);
		expect((await pod("high")).status?.nominatedNodeName).toBe("node-1");
		expect(events).toContain(`Preempted low: Preempted by pod ${high.metadata.uid} on node node-1`);
		// The room is reserved: another pod that arrives in the meantime does not take it.
		await addPod("other", asking("1"));
		await client.delete(pods, { namespace: "default", name: "low" }, { gracePeriodSeconds: 0 });
		await clock.advance(20_000);
		expect(await nodeOf("high")).toBe("node-1");
		expect(await nodeOf("other")).toBeUndefined();
	});
});
