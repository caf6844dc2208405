/** A node and the sum of what runs on it. */
import { lookup } from "../../core/object.ts";
import { parseQuantity } from "../../core/quantity.ts";
import type { Labels } from "../../core/selector.ts";
import type { Node } from "../../kinds/generated/types.ts";
import type { HostPort, PodInfo } from "./pod-info.ts";
import { addResources, noResources, type Resources, resourcesOf } from "./requests.ts";

const noLabels: Labels = lookup({});

/** Changed only by the snapshot that holds it (and by trials of preemption, on a copy). */
export class NodeInfo {
	readonly name: string;
	/** Undefined while pods are known to be bound to it, but it is not. */
	node: Node | undefined;
	/** To be looked up by the topology keys of pods. */
	labels: Labels = noLabels;
	allocatable: Resources = noResources();
	podsAllowed = 0;
	readonly pods = new Map<string, PodInfo>();
	readonly requested: Resources = noResources();
	/** As `requested`, with small amounts for containers that state none. For scores. */
	readonly assumed = { milliCpu: 0, memoryBytes: 0 };
	/** How often each host port is taken: one for an address, more only where nodes were over-committed by hand. */
	readonly #ports = new Map<number, HostPort[]>();

	constructor(name: string) {
		this.name = name;
	}

	setNode(node: Node | undefined): void {
		this.node = node;
		this.labels = lookup(node?.metadata.labels ?? noLabels);
		const allocatable = node?.status?.allocatable;
		this.allocatable = resourcesOf(allocatable);
		this.podsAllowed = allocatable?.["pods"] === undefined ? 0 : parseQuantity(allocatable["pods"]);
	}

	add(pod: PodInfo): void {
		this.pods.set(pod.key, pod);
		addResources(this.requested, pod.requests);
		this.assumed.milliCpu += pod.assumed.milliCpu;
		this.assumed.memoryBytes += pod.assumed.memoryBytes;
		for (const port of pod.hostPorts) {
			const taken = this.#ports.get(port.port);
			if (taken === undefined) this.#ports.set(port.port, [port]);
			else taken.push(port);
		}
	}

	/** @param pod the very object that was added */
	remove(pod: PodInfo): void {
		this.pods.delete(pod.key);
		addResources(this.requested, pod.requests, -1);
		this.assumed.milliCpu -= pod.assumed.milliCpu;
		this.assumed.memoryBytes -= pod.assumed.memoryBytes;
		for (const port of pod.hostPorts) {
			const taken = this.#ports.get(port.port) ?? [];
			taken.splice(taken.indexOf(port), 1);
			if (taken.length === 0) this.#ports.delete(port.port);
		}
	}

	/** Whether a port is free: no pod has it on the same address, and every address includes each. */
	isFree({ protocol, address, port }: HostPort): boolean {
		const taken = this.#ports.get(port);
		return !taken?.some(
			(other) =>
				other.protocol === protocol &&
				(other.address === address || other.address === "0.0.0.0" || address === "0.0.0.0"),
		);
	}

	/** The same node with the same pods, to try something out on. */
	copy(): NodeInfo {
		const copy = new NodeInfo(this.name);
		copy.setNode(this.node);
		for (const pod of this.pods.values()) copy.add(pod);
		return copy;
	}
}
