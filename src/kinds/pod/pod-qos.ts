import { quantityNano } from "../../core/quantity.ts";
import type { PodSpec, ResourceRequirements } from "../generated/types.ts";

const counted = ["cpu", "memory"];

/** Quality of service class (Kubernetes documentation, "Pod Quality of Service Classes"). */
export function qosClass(spec: PodSpec): "Guaranteed" | "Burstable" | "BestEffort" {
	// Resources of the pod as a whole, where it has them, decide alone.
	const all: readonly (ResourceRequirements | undefined)[] =
		spec.resources !== undefined && (spec.resources.limits ?? spec.resources.requests) !== undefined
			? [spec.resources]
			: [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map((container) => container.resources);
	let any = false;
	let guaranteed = true;
	for (const resources of all) {
		for (const name of counted) {
			const limit = amount(resources?.limits?.[name]);
			const request = amount(resources?.requests?.[name]);
			if (limit > 0n || request > 0n) any = true;
			if (limit === 0n || (request !== 0n && request !== limit)) guaranteed = false;
		}
	}
	if (!any) return "BestEffort";
	return guaranteed ? "Guaranteed" : "Burstable";
}

function amount(quantity: string | undefined): bigint {
	return quantity === undefined ? 0n : quantityNano(quantity);
}
