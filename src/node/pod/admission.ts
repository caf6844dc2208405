/** Whether a node accepts a pod that was bound to it: the kubelet's own checks. Pure. */

import { parseQuantity } from "../../core/quantity.ts";
import type { Node, Pod } from "../../kinds/generated/types.ts";
import { isCritical } from "../../kinds/pod/critical.ts";
import { compileNodeSelector } from "../../kinds/pod/node-selector.ts";
import { qosClass } from "../../kinds/pod/pod-qos.ts";
import { sidecarsOf } from "../../kinds/pod/spec/sidecars.ts";
import { untolerated } from "../../kinds/pod/tolerations.ts";
import { noPressure, type Pressure } from "../machine/pressure.ts";
import type { Verdict } from "./pod-state.ts";
import { specRequests } from "./runtime-resources.ts";
import { sysctlVerdict } from "./sysctls.ts";

export interface AdmissionState {
	/** The API's version of the node; undefined before it is known, when labels and taints are not checked. */
	node: Node | undefined;
	/** Names and patterns of kernel parameters that pods may set. */
	sysctls: readonly string[];
	/** Base units (cores, bytes, pods). */
	allocatable: ReadonlyMap<string, number>;
	/** Other pods on the node that have not terminated. */
	others: Iterable<Pod>;
	/** What the node is short of. */
	pressure?: Pressure;
}

/** Why the pod is rejected; undefined if it is admitted. */
export function admissionVerdict(pod: Pod, state: AdmissionState): Verdict | undefined {
	const { node, sysctls, pressure = noPressure } = state;
	const pressed = pressureVerdict(pod, pressure);
	if (pressed !== undefined) return pressed;
	const forbidden = sysctlVerdict(pod, sysctls);
	if (forbidden !== undefined) return forbidden;
	const selected = node === undefined || matchesNode(pod, node);
	if (!selected)
		return refuse("NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector");
	if (untolerated(node?.spec?.taints, pod.spec.tolerations ?? [], ["NoExecute"]) !== undefined) {
		return refuse("TaintToleration", "Predicate TaintToleration failed: node(s) had untolerated taint(s)");
	}
	if (pod.spec.os?.name !== undefined && pod.spec.os.name !== "linux") {
		return refuse("PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS");
	}
	return lacks(pod, state);
}

/** A node that is short of memory takes pods that say what they need; one that is short of something else takes none. */
function pressureVerdict(pod: Pod, pressure: Pressure): Verdict | undefined {
	if (pressure.size === 0 || isCritical(pod)) return undefined;
	if (pressure.size === 1 && pressure.has("MemoryPressure")) {
		const taint = { key: "node.kubernetes.io/memory-pressure", effect: "NoSchedule" };
		const tolerates = untolerated([taint], pod.spec.tolerations ?? [], ["NoSchedule"]) === undefined;
		if (tolerates || qosClass(pod.spec) !== "BestEffort") return undefined;
	}
	return refuse("Evicted", `The node had condition: [${[...pressure].join(" ")}]. `);
}

/** Resources that the pod requests and the node does not have available; undefined if it fits. */
export function lacks(pod: Pod, { node, allocatable, others }: AdmissionState): Verdict | undefined {
	const own = needsOf(pod);
	// A pod without requests only counts towards the number of pods.
	const asks = own.requests.size > 0 || own.ports.length > 0;
	const used = new Map<string, number>();
	const ports = new Map<string, string[]>();
	let count = 0;
	for (const other of others) {
		if (other.metadata.uid === pod.metadata.uid) continue;
		count++;
		if (!asks) continue;
		const needs = needsOf(other);
		for (const [name, quantity] of needs.requests) used.set(name, (used.get(name) ?? 0) + quantity);
		for (const { port, address } of needs.ports) ports.set(port, [...(ports.get(port) ?? []), address]);
	}
	if (own.ports.some(({ port, address }) => ports.get(port)?.some((taken) => overlap(taken, address)))) {
		return refuse(
			"NodePorts",
			"Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
		);
	}
	const most = allocatable.get("pods");
	if (most !== undefined && count + 1 > most) return outOf("pods", 1, count, most);
	for (const [name, requested] of own.requests) {
		const capacity = allocatable.get(name) ?? advertised(node, name);
		// Other components manage resources that the node does not know.
		if (capacity === undefined) continue;
		const taken = used.get(name) ?? 0;
		if (requested > 0 && taken + requested > capacity * (1 + 1e-9)) return outOf(name, requested, taken, capacity);
	}
	return undefined;
}

/** The amount of an extended resource of the node; 0 for other resources. */
function advertised(node: Node | undefined, name: string): number | undefined {
	if (!name.includes("/")) return 0;
	const amount = node?.status?.allocatable?.[name];
	return amount === undefined ? undefined : parseQuantity(amount);
}

interface Needs {
	requests: ReadonlyMap<string, number>;
	ports: readonly TakenPort[];
}

interface TakenPort {
	/** `TCP/80` */
	port: string;
	/** Host IP; `0.0.0.0` for all of the node. */
	address: string;
}

/** Cached by spec, which survives status updates: every new pod is compared with all others. */
const known = new WeakMap<Pod["spec"], Needs>();

function needsOf(pod: Pod): Needs {
	const before = known.get(pod.spec);
	if (before !== undefined) return before;
	const needs = { requests: specRequests(pod.spec), ports: hostPorts(pod) };
	known.set(pod.spec, needs);
	return needs;
}

function refuse(reason: string, message: string): Verdict {
	return { reason, message: `Pod was rejected: ${message}` };
}

function outOf(name: string, requested: number, used: number, capacity: number): Verdict {
	// Upstream prints CPU in millicores.
	const scale = name === "cpu" ? 1000 : 1;
	const [wanted, taken, all] = [requested, used, capacity].map((quantity) => Math.round(quantity * scale));
	return refuse(
		`OutOf${name}`,
		`Node didn't have enough resource: ${name}, requested: ${wanted}, used: ${taken}, capacity: ${all}`,
	);
}

function overlap(one: string, other: string): boolean {
	return one === other || one === "0.0.0.0" || other === "0.0.0.0";
}

function hostPorts(pod: Pod): TakenPort[] {
	const containers = [...pod.spec.containers, ...sidecarsOf(pod.spec)];
	return containers
		.flatMap(({ ports = [] }) => ports)
		.filter(({ hostPort }) => hostPort !== undefined && hostPort > 0)
		.map(({ hostPort, protocol = "TCP", hostIP }) => ({
			port: `${protocol}/${hostPort}`,
			address: hostIP || "0.0.0.0",
		}));
}

function matchesNode(pod: Pod, node: Node): boolean {
	const labels = node.metadata.labels ?? {};
	if (Object.entries(pod.spec.nodeSelector ?? {}).some(([key, value]) => labels[key] !== value)) return false;
	const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
	return required === undefined || compileNodeSelector(required)(node);
}
