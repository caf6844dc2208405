/** The interface of filters. list.ts lists all of them. */
import type { NodeInfo } from "../model/node-info.ts";
import type { PodInfo } from "../model/pod-info.ts";
import type { ClusterView } from "../model/snapshot.ts";

/** Changes in the cluster that may make room for a pod that did not fit. */
export type ClusterEvent = "node" | "podGone" | "podPlaced" | "podLabels" | "namespace" | "storage" | "devices";

export interface Refusal {
	/** Upstream's texts, counted over the nodes for the message. */
	readonly reasons: readonly string[];
	/** Removing pods from the node would not help. */
	readonly final: boolean;
}

/** Why the pod may not run on this node; undefined if it may. */
export type NodeCheck = (node: NodeInfo) => Refusal | undefined;

export type Prepared =
	/** No node can be suitable for the pod in the current state. */
	| { refused: Refusal }
	/** `only` names the nodes worth checking, if known. */
	| { check: NodeCheck; only?: ReadonlySet<string> };

export interface Filter {
	/** Upstream's plugin name. */
	readonly name: string;
	/** What a pod that this filter rejected waits for. */
	readonly wakesOn: readonly ClusterEvent[];
	/** Examines the pod and the cluster once. Undefined: the filter does not apply to the pod. Pure. */
	prepare(pod: PodInfo, cluster: ClusterView): Prepared | undefined;
}

/** A rejection that is shared by all nodes it applies to. */
export function refusal(reason: string, more: { final: boolean }): Refusal {
	return { reasons: [reason], final: more.final };
}
