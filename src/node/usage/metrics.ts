/**
 * The kubelet's metrics with upstream's names, limited to those that can be measured here (Kubernetes documentation,
 * "Kubernetes Metrics Reference", and cAdvisor's list). Pure.
 */
import type { Pod } from "../../kinds/generated/types.ts";
import type { RuntimeView } from "../context/runtime-view.ts";
import { kubeletVersion } from "../machine/node-object.ts";
import type { InterfaceTraffic } from "../machine/pod-traffic.ts";
import type { MetricFamily, Sample } from "./exposition.ts";
import type { ContainerUsage, PodUsage, Usage } from "./usage.ts";

const seconds = (nanoseconds: number) => nanoseconds / 1e9;

/** `/metrics/resource` */
export function resourceMetrics({ atMs, machine, pods }: Usage): MetricFamily[] {
	const ofNode = (value: number | undefined): Sample[] => (value === undefined ? [] : [{ value, atMs }]);
	const ofPods = (value: (pod: PodUsage) => number): Sample[] =>
		pods
			.filter(({ containers }) => containers.length > 0)
			.map((pod) => ({ labels: { pod: pod.name, namespace: pod.namespace }, value: value(pod), atMs }));
	const ofContainers = (value: (container: ContainerUsage) => number, at: { atMs?: number } = { atMs }): Sample[] =>
		pods.flatMap(({ name: pod, namespace, containers }) =>
			containers.map((each) => ({ labels: { container: each.name, pod, namespace }, value: value(each), ...at })),
		);
	return [
		counter("node_cpu_usage_seconds_total", "CPU time of the node", ofNode(machine && seconds(machine.cpuNanoseconds))),
		gauge("node_memory_working_set_bytes", "Memory that the node uses", ofNode(machine?.memoryBytes)),
		gauge(
			"container_start_time_seconds",
			"When the container started, in Unix time",
			ofContainers(({ startedAtMs }) => startedAtMs / 1000, {}),
		),
		counter(
			"container_cpu_usage_seconds_total",
			"CPU time of the container",
			ofContainers(({ cpuNanoseconds }) => seconds(cpuNanoseconds)),
		),
		gauge(
			"container_memory_working_set_bytes",
			"Memory that the container uses",
			ofContainers(({ memoryBytes }) => memoryBytes),
		),
		counter(
			"pod_cpu_usage_seconds_total",
			"CPU time of the pod's containers",
			ofPods(({ cpuNanoseconds }) => seconds(cpuNanoseconds)),
		),
		gauge(
			"pod_memory_working_set_bytes",
			"Memory that the pod's containers use",
			ofPods((pod) => pod.memoryBytes),
		),
		gauge("resource_scrape_error", "1 if the containers could not be measured", [{ value: 0 }]),
	];
}

/** `/metrics/cadvisor` */
export function cadvisorMetrics({ atMs, machine, pods }: Usage): MetricFamily[] {
	const of = (value: (container: ContainerUsage) => number, more: Record<string, string> = {}): Sample[] =>
		pods.flatMap(({ name: pod, namespace, containers }) =>
			containers.map((each) => ({
				labels: { container: each.name, ...more, image: each.image, name: each.id, namespace, pod },
				value: value(each),
				atMs,
			})),
		);
	const ofMachine = (value: number | undefined): Sample[] => (value === undefined ? [] : [{ value }]);
	return [
		counter(
			"container_cpu_usage_seconds_total",
			"CPU time of the container",
			of(({ cpuNanoseconds }) => seconds(cpuNanoseconds), { cpu: "total" }),
		),
		gauge(
			"container_last_seen",
			"When the container was measured, in Unix time",
			of(() => Math.floor(atMs / 1000)),
		),
		gauge(
			"container_memory_rss",
			"Memory of the container's own, not of files",
			of(({ memoryBytes }) => memoryBytes),
		),
		gauge(
			"container_memory_usage_bytes",
			"Memory that the container uses",
			of(({ memoryBytes }) => memoryBytes),
		),
		gauge(
			"container_memory_working_set_bytes",
			"Memory that the container uses",
			of(({ memoryBytes }) => memoryBytes),
		),
		gauge(
			"container_start_time_seconds",
			"When the container started, in Unix time",
			of(({ startedAtMs }) => Math.floor(startedAtMs / 1000)),
		),
		...networkMetrics(pods, atMs),
		gauge("machine_cpu_cores", "Cores of the machine", ofMachine(machine?.cores)),
		gauge("machine_memory_bytes", "Memory of the machine", ofMachine(machine?.totalMemoryBytes)),
	];
}

/** Of pods, by interface: the containers of a pod share them. */
function networkMetrics(pods: Usage["pods"], atMs: number): MetricFamily[] {
	const of = (value: (interfaceTraffic: InterfaceTraffic) => number): Sample[] =>
		pods.flatMap(({ name: pod, namespace, traffic = [] }) =>
			traffic.map((each) => ({ labels: { interface: each.name, namespace, pod }, value: value(each), atMs })),
		);
	const counts = ["bytes", "packets", "errors", "packets_dropped"] as const;
	const field = (count: (typeof counts)[number]) => (count === "packets_dropped" ? "dropped" : count);
	return counts.flatMap((count) => [
		counter(
			`container_network_receive_${count}_total`,
			`What the pod has received: ${count.replace("_", " ")}`,
			of(({ received }) => received[field(count)]),
		),
		counter(
			`container_network_transmit_${count}_total`,
			`What the pod has sent: ${count.replace("_", " ")}`,
			of(({ sent }) => sent[field(count)]),
		),
	]);
}

/** `/metrics`, apart from the agent's own counters and process metrics. */
export function kubeletMetrics(nodeName: string, pods: Iterable<Pod>, view: Pick<RuntimeView, "of">): MetricFamily[] {
	let runningPods = 0;
	const states = new Map<string, number>();
	for (const { metadata } of pods) {
		const { sandboxes, containers } = view.of(metadata.uid);
		if (sandboxes.some(({ state }) => state === "ready")) runningPods++;
		for (const { state } of containers) states.set(state, (states.get(state) ?? 0) + 1);
	}
	const [, major = "", minor = ""] = /^v(\d+)\.(\d+)/.exec(kubeletVersion) ?? [];
	return [
		gauge("kubelet_node_name", "The node's name; always 1", [{ labels: { node: nodeName }, value: 1 }]),
		gauge("kubelet_running_pods", "Pods that have a sandbox", [{ value: runningPods }]),
		gauge(
			"kubelet_running_containers",
			"Containers by their state",
			[...states].sort().map(([state, value]) => ({ labels: { container_state: state }, value })),
		),
		gauge("kubernetes_build_info", "The version of Kubernetes that is spoken; always 1", [
			{ labels: { git_version: kubeletVersion, major, minor }, value: 1 },
		]),
	];
}

function counter(name: string, help: string, samples: readonly Sample[]): MetricFamily {
	return { name, type: "counter", help, samples };
}

function gauge(name: string, help: string, samples: readonly Sample[]): MetricFamily {
	return { name, type: "gauge", help, samples };
}
