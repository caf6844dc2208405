/** Compiled topology spread constraints of a pod (Kubernetes documentation, "Pod Topology Spread Constraints"). */
import { type Selector, selectorFrom } from "../../core/selection/selector.ts";
import type { TopologySpreadConstraint } from "../../kinds/generated/types.ts";
import { untolerated } from "../../kinds/pod/tolerations.ts";
import { withLabelKeys } from "./affinity-term.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";
import type { ClusterView } from "./snapshot.ts";
import type { NodeCounts } from "./tallies.ts";

export interface SpreadConstraint {
	topologyKey: string;
	maxSkew: number;
	minDomains: number;
	selector: Selector;
	/** Whether a node's pods count and its domain exists, according to nodeAffinityPolicy and nodeTaintsPolicy. */
	includes(node: NodeInfo): boolean;
}

const refusingEffects = ["NoSchedule", "NoExecute"];

export function compileConstraints(
	pod: PodInfo,
	constraints: readonly TopologySpreadConstraint[] | undefined,
	whenUnsatisfiable: "DoNotSchedule" | "ScheduleAnyway",
): SpreadConstraint[] {
	const wanted = (constraints ?? []).filter((constraint) => constraint.whenUnsatisfiable === whenUnsatisfiable);
	return wanted.map((constraint) => {
		const byAffinity = (constraint.nodeAffinityPolicy ?? "Honor") === "Honor" ? pod.nodeMatch : undefined;
		const byTaints = constraint.nodeTaintsPolicy === "Honor";
		return {
			topologyKey: constraint.topologyKey,
			maxSkew: constraint.maxSkew,
			minDomains: constraint.minDomains ?? 1,
			selector: selectorFrom(withLabelKeys(constraint.labelSelector, pod.labels, constraint.matchLabelKeys)),
			includes: ({ node }) =>
				node !== undefined &&
				(byAffinity === undefined || byAffinity(node)) &&
				!(byTaints && untolerated(node.spec?.taints, pod.tolerations, refusingEffects) !== undefined),
		};
	});
}

/** Pods in the pod's namespace that a constraint counts, by node. Terminating pods do not count. */
export function spreadCounts(pod: PodInfo, selector: Selector, cluster: ClusterView): NodeCounts {
	return cluster.count({
		key: `spread|${pod.namespace}|${selector}`,
		matches: (other) => other.namespace === pod.namespace && !other.terminating && selector.matches(other.labels),
	});
}

/** Whether a node has a value for every constraint's topology. Other nodes are not part of any domain. */
export function hasAllKeys(node: NodeInfo, constraints: readonly SpreadConstraint[]): boolean {
	return constraints.every(({ topologyKey }) => node.labels[topologyKey] !== undefined);
}
