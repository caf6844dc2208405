/**
 * What a pod asks for as a whole (Kubernetes documentation, "Resource Management for Pods and Containers", "Init
 * Containers", "Pod Overhead"), as exact quantities.
 */
import { addQuantities, compareQuantities } from "../core/quantity.ts";
import type { Container, PodSpec, ResourceRequirements } from "./generated/types.ts";

/** Quantities by resource name. */
export type Amounts = Record<string, string>;

/**
 * The most that a pod needs at one time: the sum of its containers and sidecars, or an init container together with the
 * sidecars started before it, whichever is more. What is said of the pod as a whole replaces both; overhead comes on top
 * (of limits only where there is one).
 */
export function podAmounts(spec: PodSpec, what: "requests" | "limits"): Amounts {
	const total: Amounts = {};
	for (const container of spec.containers ?? []) add(total, amountsOf(container, what));
	const sidecars: Amounts = {};
	const peak: Amounts = {};
	for (const container of spec.initContainers ?? []) {
		const own = amountsOf(container, what);
		if (container.restartPolicy === "Always") {
			add(total, own);
			add(sidecars, own);
			raise(peak, sidecars);
		} else {
			const together = { ...sidecars };
			add(together, own);
			raise(peak, together);
		}
	}
	raise(total, peak);
	Object.assign(total, definedOf(spec.resources?.[what]));
	for (const [name, quantity] of Object.entries(spec.overhead ?? {}))
		if (what === "requests" || total[name] !== undefined) total[name] = addQuantities(total[name] ?? "0", quantity);
	return total;
}

/** Adds `more` to `total`, in place. */
export function add(total: Amounts, more: Readonly<Amounts>): void {
	for (const [name, quantity] of Object.entries(more))
		total[name] = total[name] === undefined ? quantity : addQuantities(total[name], quantity);
}

function raise(total: Amounts, other: Readonly<Amounts>): void {
	for (const [name, quantity] of Object.entries(other)) {
		const current = total[name];
		if (current === undefined || compareQuantities(quantity, current) > 0) total[name] = quantity;
	}
}

function amountsOf({ resources }: Container, what: keyof Pick<ResourceRequirements, "requests" | "limits">): Amounts {
	return definedOf(resources?.[what]);
}

function definedOf(amounts: Amounts | undefined): Amounts {
	return amounts ?? {};
}
