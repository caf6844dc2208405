import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../core/time/clock.ts";
import { kubeletConfig } from "../context/kubelet-config.ts";
import { usualKubeletConfiguration } from "../context/kubelet-configuration.ts";
import { MachineMeter, type MachineUsage } from "../machine/machine-usage.ts";
import { parseTraffic } from "../machine/pod-traffic.ts";
import { claimMetrics, readClaims } from "./claims.ts";
import { exposition } from "./exposition.ts";
import { cadvisorMetrics, kubeletMetrics, resourceMetrics } from "./metrics.ts";
import { statsSummary } from "./summary.ts";
import type { Usage } from "./usage.ts";

const atMs = Date.UTC(2026, 0, 1);
const container = {
	id: "c1",
	name: "main",
	image: "web:1",
	startedAtMs: atMs - 10_000,
	cpuNanoseconds: 2_500_000_000,
	memoryBytes: 1 << 20,
};
const usage: Usage = {
	atMs,
	nodeName: "node-1",
	pods: [
		{
			name: "web",
			namespace: "default",
			uid: "u1",
			startTime: "2025-12-31T23:59:50Z",
			containers: [container],
			cpuNanoseconds: container.cpuNanoseconds,
			memoryBytes: container.memoryBytes,
		},
		{ name: "done", namespace: "default", uid: "u2", containers: [], cpuNanoseconds: 0, memoryBytes: 0 },
	],
};
const machine: MachineUsage = {
	bootedAtMs: atMs - 3_600_000,
	cores: 2,
	totalMemoryBytes: 1000,
	memoryBytes: 600,
	availableMemoryBytes: 400,
	rssBytes: 250,
	cpuNanoseconds: 90_000_000_000,
	cpuNanoCores: 1_500_000_000,
	pids: { available: 1, capacity: 2 },
	fs: { capacityBytes: 100, availableBytes: 30, usedBytes: 60, inodes: 10, freeInodes: 4 },
};

test("metrics are written as Prometheus reads them, and families without samples are not", () => {
	const sample = { labels: { path: 'a"b\\c\nd', other: "" }, value: 0.5, atMs: 7 };
	expect(
		exposition([
			{ name: "none", type: "gauge", help: "nothing", samples: [] },
			{ name: "some", type: "counter", help: "something", samples: [sample, { value: 2 }] },
		]),
	).toBe('# HELP some something\n# TYPE some counter\nsome{path="a\\"b\\\\c\\nd",other=""} 0.5 7\nsome 2\n');
});

describe("resource metrics", () => {
	const samples = (text: string) => text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

	test("tell what containers and their pods use; a pod in which nothing runs uses nothing", () => {
		const labels = 'container="main",pod="web",namespace="default"';
		expect(samples(exposition(resourceMetrics(usage)))).toEqual([
			`container_start_time_seconds{${labels}} ${atMs / 1000 - 10}`,
			`container_cpu_usage_seconds_total{${labels}} 2.5 ${atMs}`,
			`container_memory_working_set_bytes{${labels}} 1048576 ${atMs}`,
			`pod_cpu_usage_seconds_total{pod="web",namespace="default"} 2.5 ${atMs}`,
			`pod_memory_working_set_bytes{pod="web",namespace="default"} 1048576 ${atMs}`,
			"resource_scrape_error 0",
		]);
	});

	test("tell what the machine uses, where there is one", () => {
		expect(samples(exposition(resourceMetrics({ ...usage, machine }))).slice(0, 2)).toEqual([
			`node_cpu_usage_seconds_total 90 ${atMs}`,
			`node_memory_working_set_bytes 600 ${atMs}`,
		]);
		const cadvisor = samples(exposition(cadvisorMetrics({ ...usage, machine })));
		expect(cadvisor).toContain("machine_cpu_cores 2");
		expect(cadvisor).toContain(
			`container_cpu_usage_seconds_total{container="main",cpu="total",image="web:1",name="c1",namespace="default",pod="web"} 2.5 ${atMs}`,
		);
	});

	test("tell what pods have sent and received, by interface", () => {
		const text = [
			"Inter-|   Receive                                                |  Transmit",
			" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed",
			"    lo:   10       1    0    0    0     0          0         0       10       1    0    0    0     0       0          0",
			"  eth0:9000000000      20    1    2    0     0          0         0      300      40    3    4    0     0       0          0",
			"",
		].join("\n");
		const traffic = parseTraffic(text);
		expect(traffic.map(({ name }) => name)).toEqual(["eth0"]);
		const pods = usage.pods.map((pod) => (pod.name === "web" ? { ...pod, traffic } : pod));
		const cadvisor = samples(exposition(cadvisorMetrics({ ...usage, pods })));
		const labels = 'interface="eth0",namespace="default",pod="web"';
		expect(cadvisor.filter((line) => line.startsWith("container_network"))).toEqual([
			`container_network_receive_bytes_total{${labels}} 9000000000 ${atMs}`,
			`container_network_transmit_bytes_total{${labels}} 300 ${atMs}`,
			`container_network_receive_packets_total{${labels}} 20 ${atMs}`,
			`container_network_transmit_packets_total{${labels}} 40 ${atMs}`,
			`container_network_receive_errors_total{${labels}} 1 ${atMs}`,
			`container_network_transmit_errors_total{${labels}} 3 ${atMs}`,
			`container_network_receive_packets_dropped_total{${labels}} 2 ${atMs}`,
			`container_network_transmit_packets_dropped_total{${labels}} 4 ${atMs}`,
		]);
		expect(statsSummary({ ...usage, pods }, new Map())).toMatchObject({
			pods: [{ network: { name: "eth0", rxBytes: 9e9, txBytes: 300, interfaces: [{ rxErrors: 1, txErrors: 3 }] } }, {}],
		});
	});

	test("tell how full claims of running pods are, each once", async () => {
		const mount = (hostPath: string) => ({ hostPath, containerPath: "/data", readOnly: false, propagation: "None" });
		const pod = (uid: string, claimName: string) => ({
			metadata: { name: uid, namespace: "default", uid },
			spec: {
				volumes: [
					{ name: "v", persistentVolumeClaim: { claimName } },
					{ name: "other", emptyDir: {} },
				],
				containers: [{ name: "c", volumeMounts: [{ name: "v", mountPath: "/data" }] }],
			},
		});
		const container = (state: string, hostPath: string) => ({
			state,
			config: { name: "c", mounts: [mount(hostPath)] },
		});
		const containers: Record<string, object[]> = {
			a: [container("exited", "/none"), container("running", tmpdir())],
			b: [container("running", tmpdir())],
			gone: [container("running", "/there/is/none")],
			waits: [],
		};
		// No other fields of a pod and its containers are read.
		const pods = [pod("a", "shared"), pod("b", "shared"), pod("gone", "removed"), pod("waits", "unused")] as never;
		const found = await readClaims(pods, { of: (uid) => ({ sandboxes: [], containers: containers[uid] }) as never });
		expect(found.map(({ claim }) => claim)).toEqual(["shared"]);
		const lines = samples(exposition(claimMetrics(found)));
		const labels = 'namespace="default",persistentvolumeclaim="shared"';
		const value = (name: string) =>
			Number(lines.find((line) => line.startsWith(`kubelet_volume_stats_${name}{${labels}} `))?.split(" ")[1]);
		expect(value("capacity_bytes")).toBeGreaterThanOrEqual(value("used_bytes") + value("available_bytes"));
		expect(value("inodes_used") + value("inodes_free")).toBe(value("inodes"));
		expect(lines).toHaveLength(6);
	});

	test("count running pods, and containers by their state", () => {
		// No other fields of a pod, a sandbox and a container are read.
		const pods = [{ metadata: { uid: "u1" } }, { metadata: { uid: "u2" } }] as never;
		const view = {
			of: (uid: string) =>
				(uid === "u1"
					? { sandboxes: [{ state: "ready" }], containers: [{ state: "running" }, { state: "exited" }] }
					: { sandboxes: [{ state: "notReady" }], containers: [{ state: "exited" }] }) as never,
		};
		const text = exposition(kubeletMetrics("node-1", pods, view));
		expect(samples(text)).toEqual([
			'kubelet_node_name{node="node-1"} 1',
			"kubelet_running_pods 1",
			'kubelet_running_containers{container_state="exited"} 2',
			'kubelet_running_containers{container_state="running"} 1',
			'kubernetes_build_info{git_version="v1.36.0",major="1",minor="36"} 1',
		]);
	});
});

describe("the summary", () => {
	test("of a simulated node adds up its containers", () => {
		expect(statsSummary(usage, new Map([["memory", 3 << 20]]))).toMatchObject({
			node: {
				nodeName: "node-1",
				cpu: { time: "2026-01-01T00:00:00Z", usageNanoCores: 250_000_000 },
				memory: { workingSetBytes: 1 << 20, availableBytes: 2 << 20 },
			},
			pods: [
				{
					podRef: { name: "web", namespace: "default", uid: "u1" },
					containers: [{ name: "main", cpu: { usageCoreNanoSeconds: 2_500_000_000 } }],
					memory: { workingSetBytes: 1 << 20, rssBytes: 1 << 20 },
				},
				{ podRef: { name: "done" }, containers: [] },
			],
		});
	});

	test("of a real node is its machine's", () => {
		expect(statsSummary({ ...usage, machine }, new Map())).toMatchObject({
			node: {
				startTime: "2025-12-31T23:00:00Z",
				cpu: { usageNanoCores: 1_500_000_000, usageCoreNanoSeconds: 90_000_000_000 },
				memory: { workingSetBytes: 600, availableBytes: 400, rssBytes: 250 },
				fs: { capacityBytes: 100, availableBytes: 30, usedBytes: 60, inodes: 10, inodesFree: 4, inodesUsed: 6 },
			},
		});
	});

	test("has a rate of CPU over a time long enough, measured on the machine", async () => {
		let aheadMs = 0;
		const clock = { ...systemClock(), monotonicMs: () => aheadMs, after: () => ({ cancel() {} }) };
		const meter = new MachineMeter(clock, "/");
		expect((await meter.read()).cpuNanoCores).toBeUndefined();
		aheadMs = 2000;
		const { cpuNanoCores, cpuNanoseconds, memoryBytes, totalMemoryBytes, rssBytes, fs } = await meter.read();
		expect(cpuNanoCores).toBeGreaterThanOrEqual(0);
		expect(cpuNanoseconds).toBeGreaterThan(0);
		expect(memoryBytes).toBeLessThan(totalMemoryBytes);
		expect(rssBytes).toBeGreaterThan(0);
		expect(fs.capacityBytes).toBeGreaterThanOrEqual(fs.usedBytes);
		meter.stop();
	});
});

test("the configuration says what the agent does, in Go's durations", () => {
	const settings = {
		configuration: usualKubeletConfiguration,
		clusterDomain: "cluster.local",
		clusterDns: "10.96.0.10",
		podCidr: "10.244.1.0/24",
		mostPods: 110,
	};
	expect(kubeletConfig(settings).kubeletconfig).toMatchObject({
		clusterDomain: "cluster.local",
		clusterDNS: ["10.96.0.10"],
		podCIDR: "10.244.1.0/24",
		maxPods: 110,
		nodeStatusUpdateFrequency: "10s",
		nodeStatusReportFrequency: "5m0s",
		nodeLeaseDurationSeconds: 40,
		containerLogMaxSize: "10Mi",
		containerLogMaxFiles: 5,
	});
	const dayMs = 86_400_000;
	expect(kubeletConfig({ ...settings, leaseMs: dayMs }).kubeletconfig).toMatchObject({
		nodeStatusUpdateFrequency: "6h0m0s",
		nodeLeaseDurationSeconds: 86_400,
	});
});
