/** Scores that depend on running pods: preferred affinity, and spreading over nodes and zones. */
import { domainCounts, queryFor } from "../filters/inter-pod-affinity.ts";
import type { NodeInfo } from "../model/node-info.ts";
import type { PodInfo } from "../model/pod-info.ts";
import type { ClusterView } from "../model/snapshot.ts";
import { compileConstraints, hasAllKeys, type SpreadConstraint, spreadCounts } from "../model/topology-constraint.ts";
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
/** Upstream's constraints for pods without constraints of their own that belong to a service or workload. */
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
		// Nodes without all of the labels are last for a pod's own constraints; default constraints consider each label
		// separately.
		const counted = byDefault ? nodes : nodes.filter((node) => hasAllKeys(node, constraints));
		const parts = constraints.map((constraint) => spreadOf(pod, constraint, counted, cluster));
		const ratings: (number | undefined)[] = [];
		let lowest = Number.POSITIVE_INFINITY;
		let highest = Number.NEGATIVE_INFINITY;
		for (const node of nodes) {
			const rating = byDefault || hasAllKeys(node, constraints) ? ratingOf(node, parts) : undefined;
			ratings.push(rating);
			if (rating === undefined) continue;
			lowest = Math.min(lowest, rating);
			highest = Math.max(highest, rating);
		}
		return ratings.map((rating) => {
			if (rating === undefined) return 0;
			return highest === 0 ? 100 : Math.floor((100 * (highest + lowest - rating)) / highest);
		});
	},
};

function ratingOf(node: NodeInfo, parts: readonly SpreadPart[]): number {
	let rating = 0;
	for (const { maxSkew, weight, podsNear } of parts) {
		const count = podsNear(node);
		if (count !== undefined) rating += count * weight + (maxSkew - 1);
	}
	return Math.round(rating);
}

function constraintsFor(pod: PodInfo, cluster: ClusterView): { constraints: SpreadConstraint[]; byDefault: boolean } {
	const own = pod.pod.spec.topologySpreadConstraints ?? [];
	if (own.length > 0) return { constraints: compileConstraints(pod, own, "ScheduleAnyway"), byDefault: false };
	const labelSelector = cluster.workloads.selectorFor(pod.pod);
	if (labelSelector === undefined) return { constraints: [], byDefault: true };
	const constraints = defaultConstraints.map((constraint) => ({ labelSelector, ...constraint }));
	return { constraints: compileConstraints(pod, constraints, "ScheduleAnyway"), byDefault: true };
}

interface SpreadPart {
	maxSkew: number;
	/** Fewer domains weigh less, so that different keys are comparable. */
	weight: number;
	/** Counted pods in the node's domain; undefined if it has none. */
	podsNear(node: NodeInfo): number | undefined;
}

/** The spread over the candidates' domains. */
function spreadOf(
	pod: PodInfo,
	constraint: SpreadConstraint,
	candidates: readonly NodeInfo[],
	cluster: ClusterView,
): SpreadPart {
	const { topologyKey, maxSkew } = constraint;
	const podCounts = spreadCounts(pod, constraint.selector, cluster);
	if (topologyKey === hostnameKey) {
		// Counted per node, as upstream: there is no sum.
		const size = candidates.reduce((sum, node) => (node.labels[topologyKey] === undefined ? sum : sum + 1), 0);
		const podsNear = (node: NodeInfo) => {
			if (node.labels[topologyKey] === undefined) return undefined;
			return constraint.includes(node) ? (podCounts.get(node.name) ?? 0) : 0;
		};
		return { maxSkew, weight: weightOf(size), podsNear };
	}
	const domains = new Map<string, number>();
	for (const node of candidates) {
		const value = node.labels[topologyKey];
		if (value !== undefined) domains.set(value, 0);
	}
	if (domains.size > 0) {
		for (const [nodeName, count] of podCounts) {
			const node = cluster.node(nodeName);
			const value = node?.labels[topologyKey];
			if (node === undefined || value === undefined || !constraint.includes(node)) continue;
			const known = domains.get(value);
			if (known !== undefined) domains.set(value, known + count);
		}
	}
	const podsNear = (node: NodeInfo) => {
		const value = node.labels[topologyKey];
		return value === undefined ? undefined : (domains.get(value) ?? 0);
	};
	return { maxSkew, weight: weightOf(domains.size), podsNear };
}

function weightOf(domainCount: number): number {
	return Math.log(domainCount + 2);
}
