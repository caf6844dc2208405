import { formatCidr, formatIPv4, parseCidr, parseIPv4, subnet } from "../../core/addresses.ts";
import type { AddNodes } from "../control/control-protocol.ts";
import type { Settings } from "../settings/settings.ts";
import type { PoolNode } from "./node-pool.ts";

type NodeNumbers = Pick<Settings, "clusterCidr" | "nodes">;

/** First address of nodes: 172.30.0.1 is the node with index 1. */
const nodeBase = parseIPv4("172.30.0.0") ?? 0;
/** Each node has a /24 for its pods, upstream's default. */
const podBits = 24;
const largestIndex = 60_000;

/**
 * Adds new nodes to the settings, each with the lowest free index.
 * @returns their names
 * @throws Error if a name is in use or not a DNS label, or there is no room
 */
export function planNodes(settings: NodeNumbers, request: AddNodes): string[] {
	const wanted = request.names ?? Array.from({ length: request.count ?? 1 }, () => undefined);
	const taken = new Set(Object.values(settings.nodes).map((node) => node.index));
	const added: string[] = [];
	for (const name of wanted) {
		let index = 1;
		while (taken.has(index)) index++;
		if (index > largestIndex) throw new Error(`no room for another node: there are ${taken.size}`);
		const final = name ?? freeName(settings, index);
		if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(final))
			throw new Error(`'${final}' is not a node name: wanted lower case letters, digits and '-', at most 63`);
		if (settings.nodes[final] !== undefined) throw new Error(`there is a node ${final} already`);
		taken.add(index);
		settings.nodes[final] = { index, podCidr: podCidr(settings.clusterCidr, index), labels: request.labels };
		added.push(final);
	}
	return added;
}

function freeName(settings: NodeNumbers, index: number): string {
	for (let number = index; ; number++) if (settings.nodes[`node-${number}`] === undefined) return `node-${number}`;
}

function podCidr(clusterCidr: string, index: number): string {
	const whole = parseCidr(clusterCidr);
	const part = whole === undefined ? undefined : subnet(whole, podBits, index);
	if (part === undefined) throw new Error(`no room for another node in ${clusterCidr}: each takes a /${podBits}`);
	return formatCidr(part);
}

export function poolNode(name: string, settings: Settings["nodes"][string]): PoolNode {
	return {
		name,
		index: settings.index,
		address: formatIPv4(nodeBase + settings.index),
		podCidr: settings.podCidr,
		labels: settings.labels ?? {},
	};
}
