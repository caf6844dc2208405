/** CPU and memory of containers and pods: what the runtime is told, and the quality-of-service class. Pure. */
import { parseQuantity } from "../core/quantity.ts";
import type { Container, Pod, PodSpec, ResourceRequirements } from "../kinds/generated/types.ts";
import type { ResourceLimits } from "../runtime/runtime.ts";
import { isSidecar } from "./pod-state.ts";

/** The container's annotation that tells the resources it was made with, as `resourcesKey` writes them. */
export const resourcesAnnotation = "coxswain.dev/resources";

/**
 * Limits of a container, or of a pod as a whole; what is not set is left out. A container of a pod that asks for
 * anything has a CPU request at least of 0: it may be given limits while it runs.
 */
export function containerLimits(resources: ResourceRequirements | undefined, pod?: Pod): ResourceLimits {
	const cpu = resources?.limits?.cpu;
	const asks = pod !== undefined && qosClass(pod) !== "BestEffort";
	const cpuRequest = resources?.requests?.cpu ?? cpu ?? (asks ? "0" : undefined);
	const memory = resources?.limits?.memory;
	return {
		...(cpuRequest === undefined ? {} : { cpuRequestMillis: millis(cpuRequest) }),
		...(cpu === undefined ? {} : { cpuLimitMillis: millis(cpu) }),
		...(memory === undefined ? {} : { memoryLimitBytes: Math.ceil(parseQuantity(memory)) }),
	};
}

/** A text that is equal for equal CPU and memory: `limits.cpu=100m,requests.memory=1Gi`. */
export function resourcesKey(resources: ResourceRequirements | undefined): string {
	const parts: string[] = [];
	for (const list of ["limits", "requests"] as const) {
		for (const name of ["cpu", "memory"]) {
			const quantity = resources?.[list]?.[name];
			if (quantity !== undefined) parts.push(`${list}.${name}=${quantity}`);
		}
	}
	return parts.join(",");
}

/** `Guaranteed`, `Burstable` or `BestEffort` (API page "Pod Quality of Service Classes"). */
export function qosClass(pod: Pod): string {
	const all =
		pod.spec.resources === undefined
			? [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(({ resources }) => resources)
			: [pod.spec.resources];
	const isSet = (quantity: string | undefined) => quantity !== undefined && parseQuantity(quantity) > 0;
	let any = false;
	let guaranteed = true;
	for (const resources of all) {
		for (const name of ["cpu", "memory"]) {
			const limit = resources?.limits?.[name];
			const request = resources?.requests?.[name] ?? limit;
			if (isSet(limit) || isSet(request)) any = true;
			if (!isSet(limit) || request === undefined || limit === undefined) guaranteed = false;
			else if (parseQuantity(request) !== parseQuantity(limit)) guaranteed = false;
		}
	}
	if (!any) return "BestEffort";
	return guaranteed ? "Guaranteed" : "Burstable";
}

/**
 * What the pod takes of its node: regular containers and sidecars together, or the largest init container with the
 * sidecars before it, whichever is more (KEP-753), plus overhead. In base units (cores, bytes).
 */
export function podRequests(spec: PodSpec): Map<string, number> {
	const sum = new Map<string, number>();
	const sidecars = new Map<string, number>();
	const largestInit = new Map<string, number>();
	for (const container of spec.containers) add(sum, requestsOf(container.resources));
	for (const container of spec.initContainers ?? []) {
		const requests = requestsOf(container.resources);
		if (isSidecar(container)) {
			add(sum, requests);
			add(sidecars, requests);
			raise(largestInit, sidecars);
		} else {
			const together = new Map(sidecars);
			add(together, requests);
			raise(largestInit, together);
		}
	}
	raise(sum, largestInit);
	for (const [name, quantity] of requestsOf(spec.resources)) sum.set(name, quantity);
	add(sum, new Map(Object.entries(spec.overhead ?? {}).map(([name, quantity]) => [name, parseQuantity(quantity)])));
	return sum;
}

function requestsOf(resources: ResourceRequirements | undefined): Map<string, number> {
	const requests = { ...resources?.limits, ...resources?.requests };
	return new Map(Object.entries(requests).map(([name, quantity]) => [name, parseQuantity(quantity)]));
}

function add(into: Map<string, number>, more: ReadonlyMap<string, number>): void {
	for (const [name, quantity] of more) into.set(name, (into.get(name) ?? 0) + quantity);
}

function raise(into: Map<string, number>, least: ReadonlyMap<string, number>): void {
	for (const [name, quantity] of least) into.set(name, Math.max(into.get(name) ?? 0, quantity));
}

function millis(cpu: string): number {
	return Math.ceil(parseQuantity(cpu) * 1000);
}

/** Of pods that the kernel ends last, and of those it ends first. */
const guaranteedScore = -997;
const bestEffortScore = 1000;

/**
 * How soon the kernel ends a container when memory runs out (API page "Node-pressure Eviction", "Node out of memory
 * behavior").
 * @param memoryBytes of the node
 */
export function oomScoreAdj(pod: Pod, container: Container, memoryBytes: number): number {
	const { priorityClassName, containers, initContainers = [] } = pod.spec;
	const quality = qosClass(pod);
	if (priorityClassName === "system-node-critical" || quality === "Guaranteed") return guaranteedScore;
	if (quality === "BestEffort" || !(memoryBytes > 0)) return bestEffortScore;
	const requested = ({ resources }: Container) =>
		parseQuantity(resources?.requests?.memory ?? resources?.limits?.memory ?? "0");
	const ofPod = parseQuantity(pod.spec.resources?.requests?.memory ?? "0");
	const all = [...containers, ...initContainers.filter(isSidecar)];
	// What the pod asks for beyond its containers is theirs alike.
	const rest = Math.max(0, ofPod - all.reduce((sum, each) => sum + requested(each), 0)) / all.length;
	const score = (each: Container) => {
		const found = Math.trunc(1000 - (1000 * (requested(each) + rest)) / memoryBytes);
		return Math.min(Math.max(found, 1000 + guaranteedScore), bestEffortScore - 1);
	};
	// A sidecar must not end before what it serves (KEP-753).
	const own = score(container);
	return initContainers.includes(container) && isSidecar(container) ? Math.min(own, ...containers.map(score)) : own;
}
