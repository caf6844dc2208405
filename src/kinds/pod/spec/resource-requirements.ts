/** Requests and limits. */

import type { Cause } from "../../../core/errors.ts";
import { lookup } from "../../../core/object.ts";
import { compareQuantities, quantityNano } from "../../../core/quantity.ts";
import { nonNegativeQuantity } from "../../../core/validation/field-checks.ts";
import { invalidEach, invalidValue, required } from "../../../core/validation/field-errors.ts";
import { qualifiedNameProblems } from "../../../core/validation/names.ts";
import type { ResourceRequirements } from "../../generated/types.ts";
import { containerClaimProblems } from "./claims.ts";

const containerResources = ["cpu", "memory", "ephemeral-storage"];
const podResources = ["cpu", "memory"];

/** The maximum number of problems reported: a limit alone has up to six, because it is also the request. */
const mostProblems = 1000;

/** Resources such as `example.com/gpu`, which nodes do not have by default. */
export function isExtendedResource(name: string): boolean {
	return name.includes("/") && !/(^|\.)kubernetes\.io\//.test(name) && !name.startsWith("requests.");
}

function isHugePages(name: string): boolean {
	return name.startsWith("hugepages-");
}

/** Of a resource that containers, or pods as a whole, may have. */
export function resourceNameProblems(name: string, scope: "container" | "pod", path: string): Cause[] {
	const problems = invalidEach(path, name, qualifiedNameProblems(name));
	if (problems.length > 0 || name.includes("/") || isHugePages(name)) return problems;
	const known = scope === "container" ? containerResources : podResources;
	if (known.includes(name)) return [];
	return [invalidValue(path, name, `must be a standard resource for ${scope}s`)];
}

/** @param claimNames names in the pod's `resourceClaims` */
export function validateResources(
	resources: ResourceRequirements | undefined,
	path: string,
	scope: "container" | "pod" = "container",
	claimNames: ReadonlySet<string> = new Set(),
): Cause[] {
	if (resources === undefined) return [];
	const { limits = {}, requests = {}, claims = [] } = resources;
	const causes: Cause[] = [];
	const limitOf = lookup(limits);
	for (const [name, quantity] of Object.entries(limits)) {
		if (causes.length >= mostProblems) return causes;
		const at = `${path}.limits[${name}]`;
		causes.push(...resourceNameProblems(name, scope, at), ...quantityProblems(name, quantity, at));
	}
	for (const [name, quantity] of Object.entries(requests)) {
		if (causes.length >= mostProblems) return causes;
		const at = `${path}.requests[${name}]`;
		causes.push(...resourceNameProblems(name, scope, at), ...quantityProblems(name, quantity, at));
		const limit = limitOf[name];
		const mustMatch = isHugePages(name) || isExtendedResource(name);
		if (limit === undefined) {
			if (mustMatch) causes.push(required(`${path}.limits`, "Limit must be set for non overcommitable resources"));
		} else if (mustMatch && compareQuantities(quantity, limit) !== 0) {
			causes.push(invalidValue(`${path}.requests`, quantity, `must be equal to ${name} limit of ${limit}`));
		} else if (compareQuantities(quantity, limit) > 0) {
			causes.push(
				invalidValue(`${path}.requests`, quantity, `must be less than or equal to ${name} limit of ${limit}`),
			);
		}
	}
	return [...causes, ...containerClaimProblems(claims, claimNames, `${path}.claims`)];
}

function quantityProblems(name: string, quantity: string, path: string): Cause[] {
	const causes = nonNegativeQuantity(quantity, path);
	if (isExtendedResource(name) && quantityNano(quantity) % 10n ** 9n !== 0n)
		causes.push(invalidValue(path, quantity, "must be an integer"));
	return causes;
}
