/** Monitors nodes: those that stop reporting become Unknown, and conditions become taints. */

import type { InformerCache } from "../../client/informer-cache.ts";
import { leases } from "../../kinds/core/lease.ts";
import { isNodeReady, nodes } from "../../kinds/core/node.ts";
import type { Node, Pod } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { isReady } from "../../kinds/pod/pod-lifecycle.ts";
import { type Controller, watchRule } from "../runtime/controller.ts";
import {
	type NodeLifecycleOptions,
	type NodeLifecycleState,
	planNode,
	type Registered,
	taintedAtMs,
	type Zone,
} from "./plan.ts";

/** Namespace of the Leases with the nodes' heartbeats; each has its node's name. */
export const nodeLeaseNamespace = "kube-node-lease";

/** Index of pods by the name of their node. */
export const podsByNode = {
	node: (pod: Pod): readonly string[] => (pod.spec.nodeName ? [pod.spec.nodeName] : []),
};

const defaults: NodeLifecycleOptions = { graceMs: 50_000, startupGraceMs: 60_000, evictionIntervalMs: 10_000 };

export function nodeLifecycleController(
	options: Partial<NodeLifecycleOptions> = {},
): Controller<NodeLifecycleState, Registered> {
	const complete = { ...defaults, ...options };
	return {
		name: "node-lifecycle",
		component: "node-controller",
		watches: [
			watchRule(nodes, (current, old) => {
				const name = (current ?? old)?.metadata.name;
				return name === undefined ? [] : [name];
			}),
			watchRule(
				leases,
				(current) => (current?.metadata.namespace === nodeLeaseNamespace ? [current.metadata.name] : []),
				{
					expectations: false,
				},
			),
			watchRule(pods, (current, old, informers) => podOnSilentNode(current, old, informers), { indexes: podsByNode }),
		],
		gather(key, informers) {
			const node = informers.of(nodes).get(undefined, key);
			if (node === undefined) return undefined;
			const lease = informers.of(leases).get(nodeLeaseNamespace, key);
			const readyPods = isNodeReady(node) ? [] : [...informers.of(pods).byIndex("node", key)].filter(isReady);
			return { node, lease, readyPods, zone: zoneOf(node, informers) };
		},
		plan: (state, context) => planNode(state, context, complete),
	};
}

/** A pod that was reported ready after its node had become Unknown. */
function podOnSilentNode(current: Pod | undefined, old: Pod | undefined, informers: InformerCache): string[] {
	const name = current?.spec.nodeName;
	if (current === undefined || name === undefined || !isReady(current) || (old !== undefined && isReady(old)))
		return [];
	const node = informers.of(nodes).get(undefined, name);
	return node !== undefined && !isNodeReady(node) ? [name] : [];
}

function zoneName({ metadata: { labels = {} } }: Node): string {
	return `${labels["topology.kubernetes.io/region"] ?? ""}/${labels["topology.kubernetes.io/zone"] ?? ""}`;
}

function zoneOf(node: Node, informers: InformerCache): Zone {
	const zone = { readyCount: 0, notReadyCount: 0, lastTaintedMs: 0, allSilent: true };
	// A healthy node does not require checking the others, of which there may be thousands.
	if (isNodeReady(node)) return { ...zone, readyCount: 1, allSilent: false };
	for (const other of informers.of(nodes).list()) {
		const ready = isNodeReady(other);
		if (ready) zone.allSilent = false;
		if (zoneName(other) !== zoneName(node)) continue;
		if (ready) zone.readyCount++;
		else zone.notReadyCount++;
		if (other !== node) zone.lastTaintedMs = Math.max(zone.lastTaintedMs, taintedAtMs(other));
	}
	return zone;
}
