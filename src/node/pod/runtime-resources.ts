/** CPU and memory of containers and pods, for the runtime. Pure. */

import { parseQuantity } from "../../core/quantity.ts";
import type { Container, Pod, PodSpec, ResourceRequirements } from "../../kinds/generated/types.ts";
import { qosClass } from "../../kinds/pod/pod-qos.ts";
import { podAmounts } from "../../kinds/pod/spec/pod-amounts.ts";
import { isSidecar } from "../../kinds/pod/spec/sidecars.ts";
import type { ResourceLimits } from "../../runtime/runtime.ts";

/** Annotation of a container with the resources that it was created with, in the format of `resourcesKey`. */
export const resourcesAnnotation = "coxswain.dev/resources";

/**
 * Limits of a container, or of a pod as a whole; unset ones are omitted. A container of a pod with any requests or
 * limits has a CPU request of at least 0, so that limits can be set while it runs.
 */
export function containerLimits(resources: ResourceRequirements | undefined, pod?: Pod): ResourceLimits {
	const cpu = resources?.limits?.cpu;
	const asks = pod !== undefined && qosClass(pod.spec) !== "BestEffort";
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

/**
 * What the spec requests (`podAmounts`), in base units (cores, bytes): a node admits and resizes pods by what they are
 * to have. The scheduler counts what they have now (`podRequestsNow`).
 */
export function specRequests(spec: PodSpec): Map<string, number> {
	const requests = Object.entries(podAmounts(spec, "requests"));
	return new Map(requests.map(([name, quantity]) => [name, parseQuantity(quantity)]));
}

function millis(cpu: string): number {
	return Math.ceil(parseQuantity(cpu) * 1000);
}

/** Scores of pods that the kernel kills last, and first. */
const guaranteedScore = -997;
const bestEffortScore = 1000;

/**
 * The OOM score adjustment of a container (API page "Node-pressure Eviction", "Node out of memory behavior").
 * @param memoryBytes of the node
 */
export function oomScoreAdj(pod: Pod, container: Container, memoryBytes: number): number {
	const { priorityClassName, containers, initContainers = [] } = pod.spec;
	const quality = qosClass(pod.spec);
	if (priorityClassName === "system-node-critical" || quality === "Guaranteed") return guaranteedScore;
	if (quality === "BestEffort" || !(memoryBytes > 0)) return bestEffortScore;
	const requested = ({ resources }: Container) => parseQuantity(resources?.requests?.["memory"] ?? "0");
	const ofPod = parseQuantity(pod.spec.resources?.requests?.memory ?? "0");
	const all = [...containers, ...initContainers.filter(isSidecar)];
	// Containers share equally what the pod requests beyond its containers.
	const rest = Math.max(0, ofPod - all.reduce((sum, each) => sum + requested(each), 0)) / all.length;
	const score = (each: Container) => {
		const found = Math.trunc(1000 - (1000 * (requested(each) + rest)) / memoryBytes);
		return Math.min(Math.max(found, 1000 + guaranteedScore), bestEffortScore - 1);
	};
	// A sidecar must not be killed before the containers that it serves (KEP-753).
	const own = score(container);
	return initContainers.includes(container) && isSidecar(container) ? Math.min(own, ...containers.map(score)) : own;
}
