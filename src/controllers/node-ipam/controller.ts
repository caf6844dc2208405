/** Assigns a block of pod addresses to every node. */
import { type Cidr, formatCidr, parseCidr, subnet } from "../../core/addresses.ts";
import { nodes } from "../../kinds/core/node.ts";
import type { Node } from "../../kinds/generated/types.ts";
import { event, patch } from "../runtime/actions.ts";
import { type Controller, type Plan, watchRule } from "../runtime/controller.ts";

export interface NodeIpamState {
	nodes: readonly Node[];
}

const key = "nodes";

/**
 * @param clusterCidr of all pods, such as `10.244.0.0/16`
 * @param nodeBits prefix length of a node's block; upstream's default is 24
 * @throws if the CIDR is invalid
 */
export function nodeIpamController(clusterCidr: string, nodeBits = 24): Controller<NodeIpamState> {
	const cluster = parseCidr(clusterCidr);
	if (cluster === undefined) throw new Error(`${clusterCidr} is no CIDR`);
	return {
		name: "node-ipam",
		component: "cidrAllocator",
		account: "node-controller",
		// One plan at a time for all nodes: concurrent ones could assign the same block.
		concurrency: 1,
		watches: [
			watchRule(nodes, (current, old) =>
				(current !== undefined && !current.spec.podCIDR) || (current === undefined && old !== undefined) ? [key] : [],
			),
		],
		gather: (_key, informers) => ({ nodes: [...informers.of(nodes).list()] }),
		plan: (state) => plan(state.nodes, cluster, nodeBits),
	};
}

function plan(all: readonly Node[], cluster: Cidr, nodeBits: number): Plan {
	const used = new Set(all.flatMap((node) => node.spec.podCIDRs ?? (node.spec.podCIDR ? [node.spec.podCIDR] : [])));
	const without = all
		.filter((node) => !node.spec.podCIDR && node.metadata.deletionTimestamp === undefined)
		.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
	let index = 0;
	const actions = without.map((node) => {
		const { name, uid } = node.metadata;
		for (;;) {
			const block = subnet(cluster, nodeBits, index++);
			if (block === undefined) {
				return event(node, "Normal", "CIDRNotAvailable", `Node ${name} status is now: CIDRNotAvailable`);
			}
			const podCIDR = formatCidr(block);
			if (used.has(podCIDR)) continue;
			const content = { metadata: { uid }, spec: { podCIDR, podCIDRs: [podCIDR] } };
			return patch(nodes, { name }, { type: "merge", patch: content }, { orGone: true, unordered: true });
		}
	});
	return { actions };
}
