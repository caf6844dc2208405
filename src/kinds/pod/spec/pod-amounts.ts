/**
 * What a pod asks for as a whole (Kubernetes documentation, "Resource Management for Pods and Containers", "Init
 * Containers", "Pod Overhead"), as exact quantities.
 */
import { addQuantities, compareQuantities } from "../../../core/quantity.ts";
import type { Container, ContainerStatus, Pod, PodSpec, ResourceRequirements } from "../../generated/types.ts";

/** Quantities by resource name. */
export type Amounts = Record<string, string>;

type What = keyof Pick<ResourceRequirements, "requests" | "limits">;

/**
 * The most that a pod needs at one time: the sum of its containers and sidecars, or an init container together with the
 * sidecars started before it, whichever is more. What is said of the pod as a whole replaces both; overhead comes on
 * top (of limits only where there is one).
 */
export function podAmounts(
	spec: PodSpec,
	what: What,
	ofContainer: (container: Container) => Amounts = (container) => definedOf(container.resources?.[what]),
): Amounts {
	const total = noAmounts();
	for (const container of spec.containers ?? []) add(total, ofContainer(container));
	const sidecars = noAmounts();
	const peak = noAmounts();
	for (const container of spec.initContainers ?? []) {
		const own = ofContainer(container);
		// What it does not ask for itself is no more than before.
		for (const [name, quantity] of Object.entries(own))
			raise(peak, name, sidecars[name] === undefined ? quantity : addQuantities(sidecars[name], quantity));
		if (container.restartPolicy !== "Always") continue;
		add(total, own);
		add(sidecars, own);
	}
	raiseAll(total, peak);
	Object.assign(total, definedOf(spec.resources?.[what]));
	for (const [name, quantity] of Object.entries(spec.overhead ?? {}))
		if (what === "requests" || total[name] !== undefined) total[name] = addQuantities(total[name] ?? "0", quantity);
	return total;
}

/**
 * As `podAmounts`, but a container that is being resized counts with the larger of what it has and what it is to have.
 */
export function podAmountsNow(pod: Pod, what: What): Amounts {
	const { spec, status } = pod;
	if (status?.containerStatuses === undefined && status?.initContainerStatuses === undefined)
		return podAmounts(spec, what);
	const isInfeasible = isResizeInfeasible(pod);
	const statusOf = resizableStatuses(pod);
	return podAmounts(spec, what, (container) => {
		const wanted = definedOf(container.resources?.[what]);
		const has = statusOf(container);
		if (has?.resources === undefined) return wanted;
		const total = isInfeasible ? {} : { ...wanted };
		raiseAll(total, definedOf(has.resources[what]));
		if (what === "requests") raiseAll(total, definedOf(has.allocatedResources));
		return total;
	});
}

/** Whether the pod's node has said that it never can give the pod what it is to have now. */
export function isResizeInfeasible({ status }: Pod): boolean {
	return status?.conditions?.find(({ type }) => type === "PodResizePending")?.reason === "Infeasible";
}

/** What is known of the containers that can be resized: the pod's own and sidecars. */
export function resizableStatuses({ spec, status }: Pod): (container: Container) => ContainerStatus | undefined {
	const own = new Set(spec.containers);
	const ofOwn = byName(status?.containerStatuses);
	const ofSidecars = byName(status?.initContainerStatuses);
	return (container) => {
		if (own.has(container)) return ofOwn.get(container.name);
		return container.restartPolicy === "Always" ? ofSidecars.get(container.name) : undefined;
	};
}

function byName(statuses: readonly ContainerStatus[] = []): Map<string, ContainerStatus> {
	return new Map(statuses.map((status) => [status.name, status]));
}

/** Names of resources are the clients': it has those, and nothing that it inherits. */
export function noAmounts(): Amounts {
	return Object.create(null) as Amounts;
}

/** Adds `more` to `total`, in place. */
export function add(total: Amounts, more: Readonly<Amounts>): void {
	for (const [name, quantity] of Object.entries(more))
		total[name] = total[name] === undefined ? quantity : addQuantities(total[name], quantity);
}

function raiseAll(total: Amounts, other: Readonly<Amounts>): void {
	for (const [name, quantity] of Object.entries(other)) raise(total, name, quantity);
}

function raise(total: Amounts, name: string, quantity: string): void {
	const current = total[name];
	if (current === undefined || compareQuantities(quantity, current) > 0) total[name] = quantity;
}

function definedOf(amounts: Amounts | undefined): Amounts {
	return amounts ?? {};
}
