/** Filters by the devices that a pod claims: where they are, or could be allocated. */
import type { Node, ResourceResourceClaim } from "../../kinds/generated/types.ts";
import { compileNodeSelector } from "../../kinds/pod/node-selector.ts";
import { allocate } from "../devices/allocate.ts";
import { AllocationError, Effort } from "../devices/effort.ts";
import { claimsOf } from "../devices/pod-claims.ts";
import type { Devices } from "../model/devices.ts";
import { type Filter, type Prepared, refusal } from "./filter.ts";

const elsewhere = refusal("resourceclaim not available on the node", { final: true });
const noDevice = refusal("cannot allocate all claims", { final: true });

export const dynamicResources: Filter = {
	name: "DynamicResources",
	wakesOn: ["devices", "node"],
	prepare({ pod }, { devices }): Prepared | undefined {
		if (pod.spec.resourceClaims === undefined) return undefined;
		const found = claimsOf(pod, devices);
		if ("problem" in found) return { refused: refusal(found.problem, { final: true }) };
		const { claims } = found;
		if (claims.length === 0) return undefined;
		const reach = claims.map(({ status }) => reachOf(status?.allocation?.nodeSelector));
		const unallocated = claims.filter(({ status }) => status?.allocation === undefined);
		const problem = problemOf(claims, devices);
		if (problem !== undefined) return { refused: refusal(problem, { final: true }) };
		const effort = new Effort();
		return {
			check({ node }) {
				// A node that is not known is not asked for.
				if (node === undefined || !reach.every((reaches) => reaches(node))) return elsewhere;
				if (unallocated.length === 0) return undefined;
				try {
					return allocate(unallocated, node, devices, () => "", effort) === undefined ? noDevice : undefined;
				} catch (error) {
					if (error instanceof AllocationError) return refusal(error.message, { final: true });
					throw error;
				}
			},
		};
	},
};

function problemOf(claims: readonly ResourceResourceClaim[], devices: Devices): string | undefined {
	for (const claim of claims) {
		const key = `${claim.metadata.namespace}/${claim.metadata.name}`;
		if (devices.isBeingAllocated(claim)) return `resource claim ${key} is in the process of being allocated`;
		if (claim.status?.allocation !== undefined) continue;
		for (const [request, className] of classesOf(claim))
			if (devices.deviceClass(className) === undefined)
				return `request ${request}: device class ${className} does not exist`;
	}
	return undefined;
}

/** Of each request and alternative. */
function classesOf({ spec }: ResourceResourceClaim): [request: string, className: string][] {
	return (spec.devices?.requests ?? []).flatMap(({ name, exactly, firstAvailable = [] }): [string, string][] =>
		exactly === undefined
			? firstAvailable.map((one) => [`${name}/${one.name}`, one.deviceClassName])
			: [[name, exactly.deviceClassName]],
	);
}

function reachOf(selector: Parameters<typeof compileNodeSelector>[0] | undefined): (node: Node) => boolean {
	return selector === undefined ? () => true : compileNodeSelector(selector);
}
