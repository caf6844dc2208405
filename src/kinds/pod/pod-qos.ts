import { compareQuantities } from "../../core/quantity.ts";
import type { PodSpec, ResourceRequirements } from "../generated/types.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

/**
 * Quality of service class (Kubernetes documentation, "Pod Quality of Service Classes"). Pod-level resources alone
 * decide if there are any; otherwise all containers and init containers must agree. Requests that default to limits are
 * in the spec, because the API sets them.
 */
export function qosClass(spec: PodSpec): QosClass {
	if (spec.resources !== undefined && (spec.resources.limits ?? spec.resources.requests) !== undefined)
		return classOf(spec.resources);
	let common: QosClass | undefined;
	for (const { resources } of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
		const own = classOf(resources);
		if (common !== undefined && own !== common) return "Burstable";
		common = own;
	}
	return common ?? "BestEffort";
}

function classOf({ limits, requests }: ResourceRequirements = {}): QosClass {
	const all = [limits?.["cpu"], limits?.["memory"], requests?.["cpu"], requests?.["memory"]];
	const [cpu, memory] = all;
	if (!all.some(isPositive)) return "BestEffort";
	const isGuaranteed = isLimited(cpu, requests?.["cpu"]) && isLimited(memory, requests?.["memory"]);
	return isGuaranteed ? "Guaranteed" : "Burstable";
}

function isLimited(limit: string | undefined, request: string | undefined): boolean {
	return limit !== undefined && request !== undefined && isPositive(limit) && compareQuantities(limit, request) === 0;
}

function isPositive(quantity: string | undefined): boolean {
	return quantity !== undefined && compareQuantities(quantity, "0") > 0;
}
