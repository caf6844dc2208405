/** Who is evicted when a node is short of something, and what is done first. */
import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import type { Container, ContainerStats } from "../../runtime/runtime.ts";
import { usualKubeletConfiguration } from "../context/kubelet-configuration.ts";
import type { Verdict } from "../pod/pod-state.ts";
import { type EvictablePod, startEviction } from "./eviction.ts";
import { evictionMessage, rank } from "./ranking.ts";

const mebi = 1024 ** 2;

function pod(name: string, { request = "", priority = 0, annotations = {} } = {}): Pod {
	const resources = request === "" ? {} : { requests: { memory: request } };
	return {
		apiVersion: "v1",
		kind: "Pod",
		metadata: { name, uid: name, resourceVersion: "1", creationTimestamp: "", annotations },
		spec: { priority, containers: [{ name: "main", image: "x", resources }] },
	};
}

const using = (mebibytes: number) => ({
	memoryBytes: mebibytes * mebi,
	processes: 1,
	containers: new Map([["main", { memoryBytes: mebibytes * mebi }]]),
});

it("evicts pods over their requests first, then by priority, then by what they use beyond their requests", () => {
	const candidates = [
		{ pod: pod("within", { request: "500Mi" }), figures: using(400) },
		{ pod: pod("important", { priority: 100 }), figures: using(900) },
		{ pod: pod("small"), figures: using(10) },
		{ pod: pod("large", { request: "100Mi" }), figures: using(200) },
		{ pod: pod("unknown"), figures: undefined },
	];
	const order = rank(candidates, "memory").map((candidate) => candidate.pod.metadata.name);
	expect(order).toEqual(["unknown", "large", "small", "important", "within"]);
});

it("says what the node lacks, and who uses more than it requests", () => {
	const shortage = (text: string, isShare: boolean, amount: number) => ({
		signal: "memory.available" as const,
		isHard: true,
		available: 225800 * 1024,
		threshold: { text, isShare, amount },
	});
	const candidate = { pod: pod("a", { request: "128M" }), figures: using(770) };
	expect(evictionMessage(shortage("750Mi", false, 750 * mebi), candidate)).toBe(
		"The node was low on resource: memory. Threshold quantity: 750Mi, available: 225800Ki. Container main was using 770Mi, request is 128M, has larger consumption of memory. ",
	);
	const disk = { ...shortage("10%", true, 16015370671), signal: "nodefs.available" as const };
	expect(evictionMessage(disk, candidate)).toBe(
		"The node was low on resource: ephemeral-storage. Threshold quantity: 16015370671, available: 225800Ki. ",
	);
});

class Toy implements EvictablePod {
	active = true;
	released = false;
	verdict: Verdict | undefined;
	readonly pod: Pod;
	constructor(of: Pod) {
		this.pod = of;
	}
	end(verdict: Verdict): void {
		this.active = false;
		this.verdict = verdict;
	}
}

/** Of a node whose machine's memory and disk a test sets. */
function node(pods: Toy[]) {
	const clock = new VirtualClock();
	const machine = { memory: 200 * mebi, disk: 500 };
	const events: string[] = [];
	const toy = {
		clock,
		machine,
		events,
		reclaimed: 0,
		onReclaim: () => {},
		// Two looks, at most.
		async look() {
			await clock.advance(10_000);
			for (let turn = 0; turn < 20; turn++) await setImmediate();
		},
		eviction: undefined as ReturnType<typeof startEviction> | undefined,
	};
	const container = (uid: string) => ({ id: uid, config: { name: "main" } }) as Container;
	toy.eviction = startEviction({
		clock,
		rules: usualKubeletConfiguration,
		runtime: { stats: async () => pods.map(({ pod: { metadata } }): ContainerStats => stats(metadata.uid)) },
		view: { of: (uid) => ({ sandboxes: [], containers: [container(uid)] }) },
		read: async () => ({
			bootedAtMs: 0,
			cores: 1,
			cpuNanoseconds: 0,
			rssBytes: 0,
			memoryBytes: 0,
			totalMemoryBytes: 1000 * mebi,
			availableMemoryBytes: machine.memory,
			fs: { capacityBytes: 1000, availableBytes: machine.disk, usedBytes: 0, inodes: 0, freeInodes: 0 },
			pids: { available: 100, capacity: 100 },
		}),
		pods: () => pods,
		reclaimDisk: async () => {
			toy.reclaimed++;
			toy.onReclaim();
		},
		changed: () => events.push(`conditions ${[...(toy.eviction?.pressure ?? [])].join()}`),
		warn: (reason, message) => events.push(`${reason}: ${message}`),
	});
	return toy;
}
const stats = (uid: string): ContainerStats => ({
	containerId: uid,
	cpuNanoseconds: 0,
	memoryBytes: uid.length * mebi,
});

it("evicts one pod after another, spares critical ones, and waits until each is gone", async () => {
	const [small, larger, critical, mirror] = [
		new Toy(pod("small")),
		new Toy(pod("larger-one")),
		new Toy(pod("critical-and-large", { priority: 2_000_000_000 })),
		new Toy(pod("mirror-and-large", { annotations: { "kubernetes.io/config.mirror": "hash" } })),
	];
	const toy = node([small, larger, critical, mirror]);
	await toy.look();
	expect(toy.events).toEqual([]);
	toy.machine.memory = 50 * mebi;
	await toy.look();
	expect(toy.events).toEqual(["conditions MemoryPressure", "EvictionThresholdMet: Attempting to reclaim memory"]);
	expect(larger.verdict).toEqual({
		reason: "Evicted",
		message:
			"The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container main was using 10Mi, request is 0, has larger consumption of memory. ",
		graceSeconds: 1,
	});
	await toy.look();
	expect(small.verdict).toBeUndefined();
	larger.released = true;
	await toy.look();
	expect(small.verdict?.reason).toBe("Evicted");
	small.released = true;
	await toy.look();
	expect([critical.verdict, mirror.verdict]).toEqual([undefined, undefined]);
	toy.eviction?.stop();
});

it("deletes images first, and evicts nobody if that is enough", async () => {
	const only = new Toy(pod("only"));
	const toy = node([only]);
	toy.onReclaim = () => {
		toy.machine.disk = 300;
	};
	toy.machine.disk = 50;
	await toy.look();
	expect([toy.reclaimed, only.verdict, [...(toy.eviction?.pressure ?? [])]]).toEqual([1, undefined, ["DiskPressure"]]);
	toy.onReclaim = () => {};
	toy.machine.disk = 50;
	await toy.look();
	expect(only.verdict?.message).toContain("The node was low on resource: ephemeral-storage.");
	toy.eviction?.stop();
});
