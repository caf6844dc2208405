/** Topology spread constraints with `whenUnsatisfiable: DoNotSchedule`. */
import type { PodInfo } from "../model/pod-info.ts";
import type { ClusterView } from "../model/snapshot.ts";
import { compileConstraints, hasAllKeys, type SpreadConstraint, spreadCounts } from "../model/topology-constraint.ts";
import { type Filter, refusal } from "./filter.ts";

const reason = "node(s) didn't match pod topology spread constraints";
const unlabelled = refusal(`${reason} (missing required label)`, { final: true });
const skewed = refusal(reason, { final: false });

export const podTopologySpread: Filter = {
	name: "PodTopologySpread",
	wakesOn: ["node", "podGone", "podPlaced", "podLabels"],
	prepare(pod, cluster) {
		const constraints = compileConstraints(pod, pod.pod.spec.topologySpreadConstraints, "DoNotSchedule");
		if (constraints.length === 0) return undefined;
		const domains = constraints.map((constraint) => domainsOf(pod, constraint, constraints, cluster));
		return {
			check(node) {
				for (const { constraint, counts, fewest } of domains) {
					const value = node.labels[constraint.topologyKey];
					if (value === undefined) return unlabelled;
					const self = constraint.selector.matches(pod.labels) ? 1 : 0;
					if ((counts.get(value) ?? 0) + self - fewest > constraint.maxSkew) return skewed;
				}
				return undefined;
			},
		};
	},
};

function domainsOf(
	pod: PodInfo,
	constraint: SpreadConstraint,
	all: readonly SpreadConstraint[],
	cluster: ClusterView,
): { constraint: SpreadConstraint; counts: Map<string, number>; fewest: number } {
	const podCounts = spreadCounts(pod, constraint.selector, cluster);
	const counts = new Map<string, number>();
	for (const node of cluster.nodes) {
		const value = node.labels[constraint.topologyKey];
		if (value === undefined || !hasAllKeys(node, all) || !constraint.includes(node)) continue;
		counts.set(value, (counts.get(value) ?? 0) + (podCounts.get(node.name) ?? 0));
	}
	// If there are fewer domains than required, each missing one counts as an empty domain.
	let fewest = counts.size < constraint.minDomains ? 0 : Number.POSITIVE_INFINITY;
	for (const count of counts.values()) fewest = Math.min(fewest, count);
	return { constraint, counts, fewest };
}
