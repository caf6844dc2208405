/** What a filter is. Which there are says list.ts. */
import type { NodeInfo } from "../model/node-info.ts";
import type { PodInfo } from "../model/pod-info.ts";
import type { ClusterView } from "../model/snapshot.ts";

/** Changes in the cluster that may make room for a pod that did not fit. */
export type ClusterEvent = "node" | "podGone" | "podPlaced" | "podLabels" | "namespace" | "storage";

export interface Refusal {
	/** As upstream words them; counted over the nodes for the message. */
	readonly reasons: readonly string[];
	/** Taking pods away from the node would not help. */
	readonly final: boolean;
}

/** Why the pod may not run on this node; undefined when it may. */
export type NodeCheck = (node: NodeInfo) => Refusal | undefined;

export type Prepared =
	/** No node can be right for the pod as things stand. */
	| { refused: Refusal }
	/** `only` names the nodes worth looking at, where that is known. */
	| { check: NodeCheck; only?: ReadonlySet<string> };

export interface Filter {
	/** Upstream's plugin name. */
	readonly name: string;
	/** What a pod that this filter refused waits for. */
	readonly wakesOn: readonly ClusterEvent[];
	/** Looks once at the pod and the cluster. Undefined: the pod does not concern this filter. Pure. */
	prepare(pod: PodInfo, cluster: ClusterView): Prepared | undefined;
}

/** A refusal that can be shared by all nodes it applies to. */
export function refusal(reason: string, more: { final: boolean }): Refusal {
	return { reasons: [reason], final: more.final };
}
