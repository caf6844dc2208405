/** Scores by the pods that run already: preferred affinity, and spreading over nodes and zones. */
import { domainCounts, queryFor } from "../filters/inter-pod-affinity.ts";
import type { NodeInfo } from "../node-info.ts";
import type { PodInfo } from "../pod-info.ts";
import type { ClusterView } from "../snapshot.ts";
import { compileConstraints, hasAllKeys, type SpreadConstraint, spreadCounts } from "../topology-constraint.ts";
import type { Score } from "./score.ts";

export const preferredPods: Score = {
	name: "InterPodAffinity",
	weight: 2,
	rate(pod, nodes, cluster) {
		const sums = new Map<string, Map<string, number>>();
		const add = (topologyKey: string, counts: ReadonlyMap<string, number>, weight: number) => {
			const byValue = sums.get(topologyKey) ?? new Map<string, number>();
			sums.set(topologyKey, byValue);
			for (const [value, count] of domainCounts(counts, topologyKey, cluster))
				byValue.set(value, (byValue.get(value) ?? 0) + weight * count);
		};
		for (const { term, weight } of pod.preferences)
			add(term.topologyKey, cluster.count(queryFor([term], cluster)), weight);
		for (const { topologyKey, weight, counts } of cluster.preferencesFor(pod)) add(topologyKey, counts, weight);
		if (sums.size === 0) return undefined;
		const ratings = nodes.map((node) => {
			let rating = 0;
			for (const [topologyKey, byValue] of sums) rating += byValue.get(node.labels[topologyKey] ?? "") ?? 0;
			return rating;
		});
		const [lowest, highest] = [Math.min(...ratings), Math.max(...ratings)];
		if (lowest === highest) return undefined;
		return ratings.map((rating) => Math.floor((100 * (rating - lowest)) / (highest - lowest)));
	},
};

const hostnameKey = "kubernetes.io/hostname";
/** What upstream spreads by where a pod has no constraints of its own but belongs to a service or workload. */
const defaultConstraints = [
	{ topologyKey: hostnameKey, maxSkew: 3, whenUnsatisfiable: "ScheduleAnyway" },
	{ topologyKey: "topology.kubernetes.io/zone", maxSkew: 5, whenUnsatisfiable: "ScheduleAnyway" },
];

export const preferredSpread: Score = {
	name: "PodTopologySpread",
	weight: 2,
	rate(pod, nodes, cluster) {
		const { constraints, byDefault } = constraintsFor(pod, cluster);
		if (constraints.length === 0) return undefined;
		// Nodes without all of the labels are last for a pod's own constraints; defaults look at each label by itself.
		const counted = (node: NodeInfo) => byDefault || hasAllKeys(node, constraints);
		const parts = constraints.map((constraint) => spreadOf(pod, constraint, nodes.filter(counted), cluster));
		const ratings = nodes.map((node) => {
			if (!counted(node)) return undefined;
			let rating = 0;
			for (const { constraint, counts, weight } of parts) {
				const value = node.labels[constraint.topologyKey];
				if (value !== undefined) rating += (counts.get(value) ?? 0) * weight + (constraint.maxSkew - 1);
			}
			return Math.round(rating);
		});
		const known = ratings.filter((rating) => rating !== undefined);
		const [lowest, highest] = [Math.min(...known), Math.max(...known)];
		return ratings.map((rating) => {
			if (rating === undefined) return 0;
			return highest === 0 ? 100 : Math.floor((100 * (highest + lowest - rating)) / highest);
		});
	},
};

function constraintsFor(pod: PodInfo, cluster: ClusterView): { constraints: SpreadConstraint[]; byDefault: boolean } {
	const own = pod.pod.spec.topologySpreadConstraints ?? [];
	if (own.length > 0) return { constraints: compileConstraints(pod, own, "ScheduleAnyway"), byDefault: false };
	const labelSelector = cluster.workloads.selectorFor(pod.pod);
	if (labelSelector === undefined) return { constraints: [], byDefault: true };
	const constraints = defaultConstraints.map((constraint) => ({ labelSelector, ...constraint }));
	return { constraints: compileConstraints(pod, constraints, "ScheduleAnyway"), byDefault: true };
}

/** Pods by domain, over the domains that the candidates offer; rarer domains weigh less, so that keys compare. */
function spreadOf(
	pod: PodInfo,
	constraint: SpreadConstraint,
	candidates: readonly NodeInfo[],
	cluster: ClusterView,
): { constraint: SpreadConstraint; counts: Map<string, number>; weight: number } {
	const { topologyKey } = constraint;
	const counts = new Map<string, number>();
	for (const node of candidates) {
		const value = node.labels[topologyKey];
		if (value !== undefined) counts.set(value, 0);
	}
	const weight = Math.log(counts.size + 2);
	for (const [nodeName, count] of spreadCounts(pod, constraint.selector, cluster)) {
		const node = cluster.node(nodeName);
		const value = node?.labels[topologyKey];
		if (node === undefined || value === undefined || !constraint.includes(node)) continue;
		const known = counts.get(value);
		if (known !== undefined) counts.set(value, known + count);
	}
	return { constraint, counts, weight };
}
