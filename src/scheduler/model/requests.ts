/**
 * What a pod asks of a node, as the scheduler counts it (Kubernetes documentation, "Resource Management for Pods and
 * Containers", "Init Containers").
 */
import { parseQuantity, quantityMilli } from "../../core/quantity.ts";
import type { Container, ContainerStatus, Pod } from "../../kinds/generated/types.ts";
import { isResizeInfeasible, resizableStatuses } from "../../kinds/pod/spec/pod-amounts.ts";

/** Amounts of resources. CPU in millicores, the rest in bytes or pieces. */
export interface Resources {
	milliCpu: number;
	memoryBytes: number;
	ephemeralBytes: number;
	/** Extended resources and huge pages by name; absent when there are none. */
	scalars?: Map<string, number>;
}

type Quantities = Readonly<Record<string, string>>;

/** What a container that asks for nothing counts as when nodes are compared (never when they are filtered). */
const assumedMilliCpu = 100;
const assumedMemoryBytes = 200 * 1024 * 1024;

/** Quantities repeat from pod to pod; parsing them once makes adding a pod cheap. Bounded by clearing. */
const milliValues = new Map<string, number>();

function milliCpu(quantity: string): number {
	let value = milliValues.get(quantity);
	if (value === undefined) {
		if (milliValues.size > 1024) milliValues.clear();
		value = Number(quantityMilli(quantity));
		milliValues.set(quantity, value);
	}
	return value;
}

export function noResources(): Resources {
	return { milliCpu: 0, memoryBytes: 0, ephemeralBytes: 0 };
}

/** A list of quantities, such as a node's allocatable or a container's requests; `pods` is left out. */
export function resourcesOf(quantities: Quantities | undefined): Resources {
	const resources = noResources();
	for (const name in quantities) {
		const quantity = quantities[name];
		if (quantity === undefined) continue;
		if (name === "cpu") resources.milliCpu = milliCpu(quantity);
		else if (name === "memory") resources.memoryBytes = parseQuantity(quantity);
		else if (name === "ephemeral-storage") resources.ephemeralBytes = parseQuantity(quantity);
		else if (name !== "pods") {
			resources.scalars ??= new Map();
			resources.scalars.set(name, parseQuantity(quantity));
		}
	}
	return resources;
}

/** Adds `sign` × `more` to `total`, in place. */
export function addResources(total: Resources, more: Resources, sign: 1 | -1 = 1): void {
	total.milliCpu += sign * more.milliCpu;
	total.memoryBytes += sign * more.memoryBytes;
	total.ephemeralBytes += sign * more.ephemeralBytes;
	if (more.scalars === undefined) return;
	total.scalars ??= new Map();
	for (const [name, amount] of more.scalars) total.scalars.set(name, (total.scalars.get(name) ?? 0) + sign * amount);
}

/** The sum of two, with no more scalars than the first one has. */
function togetherWith(own: Resources, others: Resources): Resources {
	return {
		milliCpu: own.milliCpu + others.milliCpu,
		memoryBytes: own.memoryBytes + others.memoryBytes,
		ephemeralBytes: own.ephemeralBytes + others.ephemeralBytes,
		...(own.scalars && {
			scalars: new Map(Array.from(own.scalars, ([name, amount]) => [name, amount + (others.scalars?.get(name) ?? 0)])),
		}),
	};
}

/** Raises each amount in `total` to that of `other`, in place. */
function raiseTo(total: Resources, other: Resources): void {
	total.milliCpu = Math.max(total.milliCpu, other.milliCpu);
	total.memoryBytes = Math.max(total.memoryBytes, other.memoryBytes);
	total.ephemeralBytes = Math.max(total.ephemeralBytes, other.ephemeralBytes);
	if (other.scalars === undefined) return;
	total.scalars ??= new Map();
	for (const [name, amount] of other.scalars) total.scalars.set(name, Math.max(total.scalars.get(name) ?? 0, amount));
}

export interface PodRequests {
	/** What must fit. */
	requests: Resources;
	/** For comparing nodes: as `requests`, but a container without CPU or memory request counts as a small one. */
	assumed: { milliCpu: number; memoryBytes: number };
}

/**
 * The most a pod needs at one time: the sum of its containers and sidecars, or an init container together with the
 * sidecars started before it, whichever is more; pod-level requests replace both; overhead comes on top. While a
 * resize in place is under way, a container counts with the larger of what it has and what it wants, or with what it
 * has if its node can never give it what it wants.
 */
export function podRequests(pod: Pod): PodRequests {
	const statusOf = pod.status?.containerStatuses === undefined ? () => undefined : resizableStatuses(pod);
	const requests = sumOfContainers(pod, (container) => containerRequests(pod, container, statusOf(container)));
	const assumed = sumOfContainers(pod, (container) => {
		const resources = containerRequests(pod, container, statusOf(container));
		const named = container.resources?.requests;
		if (named?.["cpu"] === undefined) resources.milliCpu = assumedMilliCpu;
		if (named?.["memory"] === undefined) resources.memoryBytes = assumedMemoryBytes;
		return resources;
	});
	const podLevel = pod.spec.resources?.requests;
	if (podLevel !== undefined) {
		for (const total of [requests, assumed]) replacePodLevel(total, podLevel);
	}
	if (pod.spec.overhead !== undefined) {
		const overhead = resourcesOf(pod.spec.overhead);
		addResources(requests, overhead);
		addResources(assumed, overhead);
	}
	return { requests, assumed: { milliCpu: assumed.milliCpu, memoryBytes: assumed.memoryBytes } };
}

function replacePodLevel(total: Resources, podLevel: Quantities): void {
	const stated = resourcesOf(podLevel);
	if (podLevel["cpu"] !== undefined) total.milliCpu = stated.milliCpu;
	if (podLevel["memory"] !== undefined) total.memoryBytes = stated.memoryBytes;
	for (const [name, amount] of stated.scalars ?? []) {
		total.scalars ??= new Map();
		total.scalars.set(name, amount);
	}
}

function sumOfContainers(pod: Pod, requestsOf: (container: Container) => Resources): Resources {
	const total = noResources();
	for (const container of pod.spec.containers) addResources(total, requestsOf(container));
	const sidecars = noResources();
	const peak = noResources();
	for (const container of pod.spec.initContainers ?? []) {
		const own = requestsOf(container);
		// What it does not ask for itself is no more than before.
		raiseTo(peak, togetherWith(own, sidecars));
		if (container.restartPolicy !== "Always") continue;
		addResources(total, own);
		addResources(sidecars, own);
	}
	raiseTo(total, peak);
	return total;
}

function containerRequests(pod: Pod, container: Container, has: ContainerStatus | undefined): Resources {
	const wanted = container.resources?.requests;
	if (has?.resources === undefined && has?.allocatedResources === undefined) return resourcesOf(wanted);
	// What the node can never give it is not taken of the node.
	const resources = isResizeInfeasible(pod) ? noResources() : resourcesOf(wanted);
	if (has.allocatedResources !== undefined) raiseTo(resources, resourcesOf(has.allocatedResources));
	if (has.resources?.requests !== undefined) raiseTo(resources, resourcesOf(has.resources.requests));
	return resources;
}
