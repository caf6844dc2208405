/**
 * The resources that a pod requests in total (Kubernetes documentation, "Resource Management for Pods and Containers",
 * "Init Containers", "Pod Overhead"), as exact quantities.
 */

import { conditionOf } from "../../../core/conditions.ts";
import { addQuantities, compareQuantities } from "../../../core/quantity.ts";
import type { Container, ContainerStatus, Pod, PodSpec, ResourceRequirements } from "../../generated/types.ts";
import { isSidecar } from "./sidecars.ts";

/** Quantities by resource name. */
export type Amounts = Record<string, string>;

type What = keyof Pick<ResourceRequirements, "requests" | "limits">;

/** The representation of amounts: exact, for quotas (`exact`), or as numbers, for a scheduler. */
export interface Arithmetic<T> {
	/** A sum that begins with these quantities. */
	of(quantities?: Readonly<Amounts>): T;
	/** Adds `more` to `total`, in place. */
	add(total: T, more: T): void;
	/** Raises each amount in `total` to that of `other`, in place. */
	raise(total: T, other: T): void;
	/** Replaces the amounts in `total` that these quantities specify. */
	replace(total: T, quantities: Readonly<Amounts>): void;
}

const exact: Arithmetic<Amounts> = {
	of: (quantities) => Object.assign(noAmounts(), quantities),
	add,
	raise(total, other) {
		for (const name in other) {
			const [quantity = "0", current] = [other[name], total[name]];
			if (current === undefined || compareQuantities(quantity, current) > 0) total[name] = quantity;
		}
	},
	replace: (total, quantities) => void Object.assign(total, quantities),
};

/**
 * The maximum that a pod needs at one time: the sum of its containers and sidecars, or an init container together with
 * the sidecars started before it, whichever is larger. Pod-level resources replace both; overhead is added (to limits
 * only if there is one). Requests that default to limits are in the spec, because the API sets them: limits are never
 * read as requests here.
 */
export function podAmounts(spec: PodSpec, what: What): Amounts {
	return exactAmounts(spec, what, ({ resources }) => exact.of(resources?.[what]), spec.resources?.[what]);
}

/**
 * Like `podAmounts`, but resources being resized count with the larger of allocated and desired, or with the allocated
 * amount if the node can never provide more.
 */
export function podAmountsNow(pod: Pod, what: What): Amounts {
	const { ofContainer, whole } = amountsNow(pod, what, exact);
	return exactAmounts(pod.spec, what, ofContainer, whole);
}

/**
 * `podAmountsNow(pod, "requests")` in another arithmetic.
 * @param assume changes the amounts of a container, in place
 */
export function podRequestsNow<T>(
	pod: Pod,
	arithmetic: Arithmetic<T>,
	assume?: (amounts: T, container: Container) => void,
): T {
	const { ofContainer, whole } = amountsNow(pod, "requests", arithmetic);
	const assuming = (container: Container) => {
		const amounts = ofContainer(container);
		assume?.(amounts, container);
		return amounts;
	};
	const total = containersAndWhole(pod.spec, assume === undefined ? ofContainer : assuming, whole, arithmetic);
	if (pod.spec.overhead !== undefined) arithmetic.add(total, arithmetic.of(pod.spec.overhead));
	return total;
}

function exactAmounts(
	spec: PodSpec,
	what: What,
	ofContainer: (container: Container) => Amounts,
	whole: Amounts | undefined,
): Amounts {
	const total = containersAndWhole(spec, ofContainer, whole, exact);
	for (const [name, quantity] of Object.entries(spec.overhead ?? {}))
		if (what === "requests" || isPositive(total[name])) total[name] = addQuantities(total[name] ?? "0", quantity);
	return total;
}

function containersAndWhole<T>(
	spec: PodSpec,
	ofContainer: (container: Container) => T,
	whole: Amounts | undefined,
	arithmetic: Arithmetic<T>,
): T {
	const total = arithmetic.of();
	for (const container of spec.containers ?? []) arithmetic.add(total, ofContainer(container));
	if (spec.initContainers !== undefined) {
		const sidecars = arithmetic.of();
		const peak = arithmetic.of();
		for (const container of spec.initContainers) {
			const own = ofContainer(container);
			if (isSidecar(container)) {
				arithmetic.add(total, own);
				arithmetic.add(sidecars, own);
			} else {
				arithmetic.add(own, sidecars);
				arithmetic.raise(peak, own);
			}
		}
		arithmetic.raise(total, peak);
	}
	if (whole !== undefined) arithmetic.replace(total, sharedOf(whole));
	return total;
}

function amountsNow<T>(pod: Pod, what: What, arithmetic: Arithmetic<T>) {
	const { spec, status } = pod;
	const onlyWhatItHas = isResizeInfeasible(pod);
	const statusOf = resizableStatuses(pod);
	const whole = spec.resources?.[what];
	return {
		ofContainer: (container: Container): T =>
			largest(container.resources?.[what], statusOf(container), what, onlyWhatItHas, arithmetic),
		whole: whole && largest(whole, status, what, onlyWhatItHas, exact),
	};
}

function largest<T>(
	wanted: Amounts | undefined,
	has: Pick<ContainerStatus, "resources" | "allocatedResources"> | undefined,
	what: What,
	onlyWhatItHas: boolean,
	arithmetic: Arithmetic<T>,
): T {
	const actual = has?.resources?.[what];
	const allocated = what === "requests" ? has?.allocatedResources : undefined;
	if (actual === undefined && allocated === undefined) return arithmetic.of(wanted);
	const total = arithmetic.of(onlyWhatItHas ? undefined : wanted);
	if (actual !== undefined) arithmetic.raise(total, arithmetic.of(actual));
	if (allocated !== undefined) arithmetic.raise(total, arithmetic.of(allocated));
	return total;
}

/** The resources that containers of a pod can share (KEP-2837); others have no effect at pod level. */
export function isShared(resource: string): boolean {
	return resource === "cpu" || resource === "memory" || resource.startsWith("hugepages-");
}

export function sharedOf(amounts: Amounts): Amounts {
	return Object.fromEntries(Object.entries(amounts).filter(([name]) => isShared(name)));
}

function isPositive(quantity: string | undefined): boolean {
	return quantity !== undefined && compareQuantities(quantity, "0") > 0;
}

/** Whether the pod's node has reported that it can never provide the desired resources. */
function isResizeInfeasible({ status }: Pod): boolean {
	return conditionOf({ status }, "PodResizePending")?.reason === "Infeasible";
}

/** Statuses of the containers that can be resized: the pod's own and sidecars. */
function resizableStatuses({ spec, status }: Pod): (container: Container) => ContainerStatus | undefined {
	const { containerStatuses, initContainerStatuses } = status ?? {};
	if (containerStatuses === undefined && initContainerStatuses === undefined) return () => undefined;
	return (container) => {
		const isInit = spec.initContainers?.includes(container) === true;
		if (isInit && !isSidecar(container)) return undefined;
		return (isInit ? initContainerStatuses : containerStatuses)?.find(({ name }) => name === container.name);
	};
}

/** Clients choose the names of resources, so inherited properties must not be found. */
export function noAmounts(): Amounts {
	return Object.create(null) as Amounts;
}

/** Adds `more` to `total`, in place. */
export function add(total: Amounts, more: Readonly<Amounts>): void {
	for (const [name, quantity] of Object.entries(more))
		total[name] = total[name] === undefined ? quantity : addQuantities(total[name], quantity);
}
