/**
 * A pod's resource requests as counted by the scheduler (Kubernetes documentation, "Resource Management for Pods and
 * Containers", "Init Containers").
 */
import { parseQuantity, quantityMilli } from "../../core/quantity.ts";
import type { Container, Pod } from "../../kinds/generated/types.ts";
import { type Arithmetic, isShared, podRequestsNow } from "../../kinds/pod/spec/pod-amounts.ts";

/** Amounts of resources: CPU in millicores, others in bytes or units. */
export interface Resources {
	milliCpu: number;
	memoryBytes: number;
	ephemeralBytes: number;
	/** Extended resources and huge pages by name; absent if there are none. */
	scalars?: Map<string, number>;
}

type Quantities = Readonly<Record<string, string>>;

/** Assumed requests of a container without any, for comparing nodes (never for filtering). */
const assumedMilliCpu = 100;
const assumedMemoryBytes = 200 * 1024 * 1024;

/** Quantities repeat from pod to pod; caching them makes adding a pod cheap. The cache is cleared when it is full. */
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

/** Raises each amount in `total` to that of `other`, in place. */
function raiseTo(total: Resources, other: Resources): void {
	total.milliCpu = Math.max(total.milliCpu, other.milliCpu);
	total.memoryBytes = Math.max(total.memoryBytes, other.memoryBytes);
	total.ephemeralBytes = Math.max(total.ephemeralBytes, other.ephemeralBytes);
	if (other.scalars === undefined) return;
	total.scalars ??= new Map();
	for (const [name, amount] of other.scalars) total.scalars.set(name, Math.max(total.scalars.get(name) ?? 0, amount));
}

/** Replaces the amounts in `total` that these quantities specify. */
function replace(total: Resources, quantities: Quantities): void {
	const { scalars, ...stated } = resourcesOf(quantities);
	if (quantities["cpu"] !== undefined) total.milliCpu = stated.milliCpu;
	if (quantities["memory"] !== undefined) total.memoryBytes = stated.memoryBytes;
	if (quantities["ephemeral-storage"] !== undefined) total.ephemeralBytes = stated.ephemeralBytes;
	if (scalars === undefined) return;
	total.scalars ??= new Map();
	for (const [name, amount] of scalars) total.scalars.set(name, amount);
}

const asNumbers: Arithmetic<Resources> = { of: resourcesOf, add: addResources, raise: raiseTo, replace };

export interface PodRequests {
	/** What must fit. */
	requests: Resources;
	/** For comparing nodes: like `requests`, with small amounts for containers without CPU or memory requests. */
	assumed: { milliCpu: number; memoryBytes: number };
}

/** The pod's current requests (`podRequestsNow`) as numbers; `specRequests` of a node reads the spec alone. */
export function podRequests(pod: Pod): PodRequests {
	const requests = podRequestsNow(pod, asNumbers);
	const assume = assumptionsOf(pod);
	const { milliCpu, memoryBytes } = assume === undefined ? requests : podRequestsNow(pod, asNumbers, assume);
	return { requests, assumed: { milliCpu, memoryBytes } };
}

/** Assumed amounts for containers without requests; undefined if all have requests. */
function assumptionsOf({ spec }: Pod): ((amounts: Resources, container: Container) => void) | undefined {
	const { containers, initContainers, resources } = spec;
	if (containers.every(saysBoth) && (initContainers === undefined || initContainers.every(saysBoth))) return undefined;
	const whole = Object.keys(resources?.requests ?? {}).some(isShared) ? resources?.requests : undefined;
	// Pod-level requests cover all containers: only resources that no container requests are assumed.
	const isAssumed = (name: string) =>
		whole === undefined ||
		![whole, ...[...containers, ...(initContainers ?? [])].map(requestsOf)].some((list) => list?.[name] !== undefined);
	const [cpu, memory] = [isAssumed("cpu"), isAssumed("memory")];
	return (amounts, container) => {
		const requests = requestsOf(container);
		if (cpu && requests?.["cpu"] === undefined) amounts.milliCpu = assumedMilliCpu;
		if (memory && requests?.["memory"] === undefined) amounts.memoryBytes = assumedMemoryBytes;
	};
}

function requestsOf({ resources }: Container): Quantities | undefined {
	return resources?.requests;
}

function saysBoth(container: Container): boolean {
	const requests = requestsOf(container);
	return requests?.["cpu"] !== undefined && requests["memory"] !== undefined;
}
