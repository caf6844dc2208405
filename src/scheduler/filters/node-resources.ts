/** Filters for limited resources of a node: CPU, memory, pods, ports. */
import type { NodeInfo } from "../model/node-info.ts";
import type { Resources } from "../model/requests.ts";
import { type Filter, type Refusal, refusal } from "./filter.ts";

const portTaken = refusal("node(s) didn't have free ports for the requested pod ports", { final: false });

export const nodePorts: Filter = {
	name: "NodePorts",
	wakesOn: ["node", "podGone"],
	prepare({ hostPorts }) {
		if (hostPorts.length === 0) return undefined;
		return { check: (node) => (hostPorts.every((port) => node.isFree(port)) ? undefined : portTaken) };
	},
};

export const nodeResourcesFit: Filter = {
	name: "NodeResourcesFit",
	wakesOn: ["node", "podGone"],
	prepare({ requests }) {
		return {
			check(node) {
				// The usual case first and without an allocation: it runs for every pod on every node.
				if (
					requests.scalars === undefined &&
					node.pods.size < node.podsAllowed &&
					fits(requests.milliCpu, node.allocatable.milliCpu, node.requested.milliCpu) &&
					fits(requests.memoryBytes, node.allocatable.memoryBytes, node.requested.memoryBytes) &&
					fits(requests.ephemeralBytes, node.allocatable.ephemeralBytes, node.requested.ephemeralBytes)
				)
					return undefined;
				return shortage(requests, node);
			},
		};
	},
};

/** A resource that is not requested always fits, even on an overcommitted node. */
function fits(wanted: number, allocatable: number, requested: number): boolean {
	return wanted <= 0 || wanted <= allocatable - requested;
}

function shortage(requests: Resources, node: NodeInfo): Refusal | undefined {
	const reasons: string[] = [];
	let final = false;
	if (node.pods.size + 1 > node.podsAllowed) {
		reasons.push("Too many pods");
		final = node.podsAllowed === 0;
	}
	const look = (name: string, wanted: number, allocatable: number, requested: number) => {
		if (fits(wanted, allocatable, requested)) return;
		reasons.push(`Insufficient ${name}`);
		if (wanted > allocatable) final = true;
	};
	const { allocatable, requested } = node;
	look("cpu", requests.milliCpu, allocatable.milliCpu, requested.milliCpu);
	look("memory", requests.memoryBytes, allocatable.memoryBytes, requested.memoryBytes);
	look("ephemeral-storage", requests.ephemeralBytes, allocatable.ephemeralBytes, requested.ephemeralBytes);
	for (const [name, wanted] of requests.scalars ?? [])
		look(name, wanted, allocatable.scalars?.get(name) ?? 0, requested.scalars?.get(name) ?? 0);
	return reasons.length === 0 ? undefined : { reasons, final };
}
