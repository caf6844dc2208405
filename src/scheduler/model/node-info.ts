/** A node and the sum of its pods' requests. */
import { lookup } from "../../core/object.ts";
import { parseQuantity } from "../../core/quantity.ts";
import type { Labels } from "../../core/selection/selector.ts";
import type { Node } from "../../kinds/generated/types.ts";
import type { HostPort, PodInfo } from "./pod-info.ts";
import { addResources, noResources, type Resources, resourcesOf } from "./requests.ts";

const noLabels: Labels = lookup({});

/** Changed only by its snapshot (and by preemption, on a copy). */
export class NodeInfo {
	readonly name: string;
	/** Undefined while pods are bound to the node but it is not known. */
	node: Node | undefined;
	/** For lookups by the topology keys of pods. */
	labels: Labels = noLabels;
	allocatable: Resources = noResources();
	podsAllowed = 0;
	readonly pods = new Map<string, PodInfo>();
	readonly requested: Resources = noResources();
	/** Like `requested`, with small amounts for containers without requests. For scores. */
	readonly assumed = { milliCpu: 0, memoryBytes: 0 };
	/** The users of each host port: one per address, unless nodes were overcommitted manually. */
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

	/** @param pod the same object that was added */
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

	/** Whether a port is free: no pod uses it on the same address; the wildcard address overlaps with all. */
	isFree({ protocol, address, port }: HostPort): boolean {
		const taken = this.#ports.get(port);
		return !taken?.some(
			(other) =>
				other.protocol === protocol &&
				(other.address === address || other.address === "0.0.0.0" || address === "0.0.0.0"),
		);
	}

	/** A copy with the same pods, for trying something out. */
	copy(): NodeInfo {
		const copy = new NodeInfo(this.name);
		copy.setNode(this.node);
		for (const pod of this.pods.values()) copy.add(pod);
		return copy;
	}
}
