import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createInformerCache } from "../client/informer.ts";
import type { InformerCache } from "../client/informer-cache.ts";
import { VirtualClock } from "../core/time/virtual-clock.ts";
import { nodes } from "../kinds/core/node.ts";
import type { Node, Pod, PodSpec } from "../kinds/generated/types.ts";
import { pods } from "../kinds/pod/pod.ts";
import { persistentVolumes } from "../kinds/storage/persistentvolume.ts";
import { createSimulatedNetwork } from "../network/simulated.ts";
import { createSimulatedRuntime, type SimulatedState, simulatedState } from "../runtime/simulated/runtime.ts";
import { type Fleet, startSimulatedFleet } from "./simulated-fleet.ts";
import { TestServer } from "./testing/test-server.ts";

const forever = { "simulate.coxswain.io/duration": "1000h" };
let clock: VirtualClock;
let server: TestServer;
let informers: InformerCache;
let fleet: Fleet;
let state: SimulatedState;

beforeEach(async () => {
	clock = new VirtualClock();
	server = new TestServer(clock);
	informers = createInformerCache(server.client, { clock });
	state = simulatedState();
	fleet = newFleet();
	await settled(fleet.add({ name: "node-1", addresses: ["10.0.0.1"], podCidr: "10.244.1.0/24" }));
});

afterEach(async () => {
	await settled(fleet.stop());
	informers.close();
});

describe("agent", () => {
	test("registers its node with labels, conditions, addresses and a lease", () => {
		const node = server.toy.objects.get("/nodes/node-1") as Node | undefined;
		expect(node?.metadata.labels?.["kubernetes.io/hostname"]).toBe("node-1");
		expect(node?.status?.conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`)).toEqual([
			"MemoryPressure=False KubeletHasSufficientMemory",
			"DiskPressure=False KubeletHasNoDiskPressure",
			"PIDPressure=False KubeletHasSufficientPID",
			"Ready=True KubeletReady",
		]);
		expect(node?.status?.addresses).toContainEqual({ type: "InternalIP", address: "10.0.0.1" });
		expect(node?.status?.nodeInfo?.kubeletVersion).toMatch(/^v1\.36\./);
		expect(server.toy.objects.get("kube-node-lease/leases/node-1")).toBeDefined();
	});

	test("says again that its node is ready when a controller had taken it for dead", async () => {
		const conditions = [{ type: "Ready", status: "Unknown", reason: "NodeStatusUnknown" }];
		const patch = { status: { conditions } };
		await settled(server.client.patch(nodes, { name: "node-1" }, { type: "strategic", patch }, "status"));
		await clock.advance(15_000);
		const messages = [...server.toy.objects.values()].flatMap((object) =>
			object.kind === "Event" && "reason" in object && object.reason === "NodeReady" ? [object] : [],
		);
		expect(messages.map((event) => ("count" in event ? event.count : undefined))).toEqual([2]);
		const node = server.toy.objects.get("/nodes/node-1") as Node | undefined;
		expect(node?.status?.conditions?.find(({ type }) => type === "Ready")?.status).toBe("True");
	});

	test("runs a pod to Running and Ready, with its address, in one status write", async () => {
		await create("web", { containers: [{ name: "c", image: "nginx" }] });
		await clock.advance(1000);
		const status = server.pod("web")?.status;
		expect(status?.phase).toBe("Running");
		expect(status?.podIP).toMatch(/^10\.244\.1\./);
		expect(condition("web", "Ready")).toBe("True");
		expect(status?.containerStatuses?.[0]).toMatchObject({ ready: true, restartCount: 0, started: true });
		expect(server.statusWrites).toBe(1);
		expect(server.events("web")).toEqual([
			'Pulled: Container image "nginx" already present on machine and can be accessed by the pod',
			"Created: Container created",
			"Started: Container started",
		]);
	});

	test("writes nothing while nothing happens", async () => {
		await create("web", { containers: [{ name: "c", image: "nginx" }] });
		await clock.advance(1000);
		const writes = server.statusWrites;
		await clock.advance(600_000);
		expect(server.statusWrites).toBe(writes);
	});

	test("brings a pod that ends to Succeeded", async () => {
		await create("job", { restartPolicy: "Never", containers: [{ name: "c", image: "busybox" }] });
		await clock.advance(5000);
		expect(server.pod("job")?.status?.phase).toBe("Succeeded");
		expect(server.pod("job")?.status?.containerStatuses?.[0]?.state?.terminated?.reason).toBe("Completed");
		expect(condition("job", "Ready")).toBe("False");
		expect(server.statusWrites).toBe(2);
	});

	test("runs init containers in order before the others", async () => {
		await create("web", {
			initContainers: [
				{ name: "a", image: "busybox" },
				{ name: "b", image: "busybox" },
			],
			containers: [{ name: "c", image: "nginx" }],
		});
		await clock.advance(500);
		expect(server.pod("web")?.status?.initContainerStatuses?.map(({ state }) => Object.keys(state ?? {}))).toEqual([
			["running"],
			["waiting"],
		]);
		expect(condition("web", "Initialized")).toBe("False");
		await clock.advance(5000);
		expect(server.pod("web")?.status?.phase).toBe("Running");
		expect(condition("web", "Initialized")).toBe("True");
	});

	test("a container with another image is replaced without the pod being told unready in between", async () => {
		await create("web", { containers: [{ name: "c", image: "nginx:1" }] });
		await clock.advance(1000);
		const writes = server.statusWrites;
		const patch = { spec: { containers: [{ name: "c", image: "nginx:2" }] } };
		await settled(server.client.patch(pods, { namespace: "default", name: "web" }, { type: "strategic", patch }));
		await clock.advance(60_000);
		expect(server.pod("web")?.status?.containerStatuses?.[0]).toMatchObject({ image: "nginx:2", restartCount: 1 });
		expect(condition("web", "Ready")).toBe("True");
		expect(server.statusWrites).toBe(writes + 1);
	});

	test("restarts a failing container with growing delays and CrashLoopBackOff", async () => {
		const annotations = { "simulate.coxswain.io/duration": "100ms", "simulate.coxswain.io/exit-code": "1" };
		await create("bad", { containers: [{ name: "c", image: "busybox" }] }, annotations);
		await clock.advance(5000);
		const waiting = () => server.pod("bad")?.status?.containerStatuses?.[0];
		expect(waiting()?.state?.waiting?.reason).toBe("CrashLoopBackOff");
		expect(waiting()?.state?.waiting?.message).toMatch(/^back-off 10s restarting failed container=c pod=bad_default\(/);
		expect(waiting()?.lastState?.terminated?.exitCode).toBe(1);
		expect(waiting()?.restartCount).toBe(1);
		await clock.advance(10_000);
		expect(waiting()?.restartCount).toBe(2);
		await clock.advance(25_000);
		expect(waiting()?.restartCount).toBe(3);
		expect(server.pod("bad")?.status?.phase).toBe("Running");
	});

	test("another image of a crashing container is tried at once", async () => {
		const annotations = { "simulate.coxswain.io/duration": "100ms", "simulate.coxswain.io/exit-code": "1" };
		await create("bad", { containers: [{ name: "c", image: "busybox:1" }] }, annotations);
		await clock.advance(60_000);
		const count = () => server.pod("bad")?.status?.containerStatuses?.[0]?.restartCount;
		expect(count()).toBe(3);
		const patch = { spec: { containers: [{ name: "c", image: "busybox:2" }] } };
		await settled(server.client.patch(pods, { namespace: "default", name: "bad" }, { type: "strategic", patch }));
		await clock.advance(1000);
		expect(count()).toBe(4);
	});

	test("another image of a pod that does not restart is run all the same", async () => {
		const slow = { ...forever, "simulate.coxswain.io/ready-delay": "5s" };
		await create("once", { restartPolicy: "Never", containers: [{ name: "c", image: "nginx:1" }] }, slow);
		await clock.advance(10_000);
		const change = (patch: object) =>
			settled(server.client.patch(pods, { namespace: "default", name: "once" }, { type: "strategic", patch }));
		await change({ spec: { containers: [{ name: "c", image: "nginx:2" }] } });
		await clock.advance(2000);
		// Reads the status at startup: after `terminated` was reported, the container must not be reported as running.
		await change({ metadata: { labels: { looked: "yes" } } });
		await clock.advance(2000);
		expect(server.pod("once")?.status?.containerStatuses?.[0]?.state?.terminated).toBeUndefined();
		await clock.advance(10_000);
		expect(server.pod("once")?.status?.containerStatuses?.[0]).toMatchObject({
			image: "nginx:2",
			restartCount: 1,
			state: { running: {} },
		});
	});

	test("deletes a pod from the API once all of it has ended", async () => {
		await create("web", { containers: [{ name: "c", image: "nginx" }] });
		await clock.advance(1000);
		await settled(server.client.delete(pods, { namespace: "default", name: "web" }));
		await clock.advance(2000);
		expect(server.pod("web")).toBeUndefined();
		expect([...state.containers.keys(), ...state.sandboxes.keys()]).toEqual([]);
		expect(server.events("web")).toContain("Killing: Stopping container c");
	});

	test("asks seldom to delete a pod that a finalizer holds", async () => {
		await create("web", { containers: [{ name: "c", image: "nginx" }] });
		await clock.advance(1000);
		server.finalizers.add("web");
		await settled(server.client.delete(pods, { namespace: "default", name: "web" }));
		await clock.advance(60_000);
		expect(server.pod("web")).toBeDefined();
		expect(server.deletions).toBeLessThan(10);
		server.finalizers.delete("web");
		await clock.advance(60_000);
		expect(server.pod("web")).toBeUndefined();
	});

	test("clears away a pod that was deleted with force", async () => {
		await create("web", { containers: [{ name: "c", image: "nginx" }] });
		await clock.advance(1000);
		await settled(server.client.delete(pods, { namespace: "default", name: "web" }, { gracePeriodSeconds: 0 }));
		await clock.advance(2000);
		expect([...state.containers.keys(), ...state.sandboxes.keys()]).toEqual([]);
	});

	test("adopts running containers when it comes back, and starts none twice", async () => {
		await create("web", { containers: [{ name: "c", image: "nginx" }] });
		await clock.advance(1000);
		const before = [...state.containers.keys()];
		await settled(fleet.stop());
		fleet = newFleet();
		await settled(fleet.add({ name: "node-1", addresses: ["10.0.0.1"], podCidr: "10.244.1.0/24" }));
		await clock.advance(60_000);
		expect([...state.containers.keys()]).toEqual(before);
		expect(server.pod("web")?.status?.containerStatuses?.[0]?.restartCount).toBe(0);
	});

	test("notices the end of a container that began before it came back, though it lists the runtime for another pod", async () => {
		await create(
			"job",
			{ restartPolicy: "Never", containers: [{ name: "c", image: "busybox" }] },
			{ "simulate.coxswain.io/duration": "20s" },
		);
		await clock.advance(1000);
		await settled(fleet.stop());
		fleet = newFleet();
		await settled(fleet.add({ name: "node-1", addresses: ["10.0.0.1"], podCidr: "10.244.1.0/24" }));
		await clock.advance(30_000);
		await create("web", { containers: [{ name: "c", image: "nginx" }] });
		await clock.advance(120_000);
		expect(server.pod("job")?.status?.phase).toBe("Succeeded");
	});

	test("ends what is left of a pod that disappeared while it was away", async () => {
		await create("web", { containers: [{ name: "c", image: "nginx" }] });
		await clock.advance(1000);
		await settled(fleet.stop());
		server.toy.objects.delete("default/pods/web");
		informers.close();
		informers = createInformerCache(server.client, { clock });
		fleet = newFleet();
		await settled(fleet.add({ name: "node-1", addresses: ["10.0.0.1"], podCidr: "10.244.1.0/24" }));
		await clock.advance(5000);
		expect([...state.containers.keys(), ...state.sandboxes.keys()]).toEqual([]);
	});

	test("lets go of volumes that were deleted while it was away", async () => {
		await settled(fleet.stop());
		const term = { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["node-1"] }] };
		const metadata = {
			name: "volume",
			annotations: { "pv.kubernetes.io/provisioned-by": "coxswain.io/local" },
			finalizers: ["coxswain.io/local-volume"],
			deletionTimestamp: "2026-01-01T00:00:00Z",
		};
		await settled(
			server.client.create(persistentVolumes, {
				metadata,
				spec: { local: { path: "/volume" }, nodeAffinity: { required: { nodeSelectorTerms: [term] } } },
			}),
		);
		fleet = newFleet();
		await clock.advance(1000);
		await settled(fleet.add({ name: "node-1", addresses: ["10.0.0.1"], podCidr: "10.244.1.0/24" }));
		await clock.advance(1000);
		expect(server.toy.objects.get("/persistentvolumes/volume")?.metadata.finalizers).toEqual([]);
	});

	test("refuses a pod that asks for more than the node has", async () => {
		await create("big", { containers: [{ name: "c", image: "nginx", resources: { requests: { cpu: "64" } } }] });
		await clock.advance(1000);
		expect(server.pod("big")?.status).toMatchObject({
			phase: "Failed",
			reason: "OutOfcpu",
			message: "Pod was rejected: Node didn't have enough resource: cpu, requested: 64000, used: 0, capacity: 32000",
		});
	});

	test("ends a pod that is past its deadline", async () => {
		await create("late", { activeDeadlineSeconds: 30, containers: [{ name: "c", image: "nginx" }] });
		await clock.advance(29_000);
		expect(server.pod("late")?.status?.phase).toBe("Running");
		await clock.advance(5000);
		expect(server.pod("late")?.status).toMatchObject({ phase: "Failed", reason: "DeadlineExceeded" });
	});

	test("shows ErrImagePull, then ImagePullBackOff", async () => {
		await create("web", { containers: [{ name: "c", image: "registry.invalid/nginx" }] });
		await clock.advance(1000);
		const reason = () => server.pod("web")?.status?.containerStatuses?.[0]?.state?.waiting?.reason;
		expect(reason()).toBe("ErrImagePull");
		await clock.advance(5000);
		expect(reason()).toBe("ImagePullBackOff");
		expect(server.pod("web")?.status?.phase).toBe("Pending");
	});
});

function newFleet(): Fleet {
	return startSimulatedFleet({
		client: () => server.client,
		reader: server.client,
		informers,
		clock,
		runtime: () => createSimulatedRuntime({ clock, state }),
		network: ({ addresses, podCidr = "" }) => createSimulatedNetwork({ nodeAddress: addresses[0] ?? "", podCidr }),
	});
}

async function create(name: string, spec: PodSpec, annotations: Record<string, string> = {}): Promise<Pod> {
	return settled(
		server.client.create(pods, {
			metadata: { name, namespace: "default", annotations },
			spec: { nodeName: "node-1", restartPolicy: "Always", ...spec },
		}),
	);
}

function condition(name: string, type: string): string | undefined {
	return server.pod(name)?.status?.conditions?.find((each) => each.type === type)?.status;
}

/** A promise that may need timers of the virtual clock to settle. */
async function settled<T>(promise: Promise<T>): Promise<T> {
	let done = false;
	void promise.finally(() => (done = true)).catch(() => {});
	for (let turn = 0; turn < 100 && !done; turn++) await clock.advance(1);
	return promise;
}
