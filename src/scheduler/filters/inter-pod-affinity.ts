/** Required pod affinity and anti-affinity in both directions: the pod's own terms and those of running pods. */
import type { AffinityTerm } from "../model/affinity-term.ts";
import type { PodInfo } from "../model/pod-info.ts";
import type { ClusterView } from "../model/snapshot.ts";
import type { NodeCounts, PodQuery } from "../model/tallies.ts";
import { type Filter, type NodeCheck, refusal } from "./filter.ts";

const noFriend = refusal("node(s) didn't match pod affinity rules", { final: true });
const foe = refusal("node(s) didn't match pod anti-affinity rules", { final: false });
const foeOfAnother = refusal("node(s) didn't satisfy existing pods anti-affinity rules", { final: false });

export const interPodAffinity: Filter = {
	name: "InterPodAffinity",
	wakesOn: ["node", "podGone", "podPlaced", "podLabels", "namespace"],
	prepare(pod, cluster) {
		const checks = [affinityCheck(pod, cluster), ownAntiAffinityCheck(pod, cluster), othersCheck(pod, cluster)];
		const wanted = checks.filter((check) => check !== undefined);
		if (wanted.length === 0) return undefined;
		return {
			check(node) {
				for (const check of wanted) {
					const refused = check(node);
					if (refused !== undefined) return refused;
				}
				return undefined;
			},
		};
	},
};

/** A query for the pods that all of the terms select. */
export function queryFor(terms: readonly AffinityTerm[], cluster: ClusterView): PodQuery {
	return {
		key: `affinity|${terms.map(({ podsKey }) => podsKey).join("&")}`,
		matches: (other) => terms.every((term) => term.matches(other, cluster.namespaceLabels)),
	};
}

/** Values of a topology label over the nodes that run counted pods, with the number of those pods. */
export function domainCounts(counts: NodeCounts, topologyKey: string, cluster: ClusterView): Map<string, number> {
	const domains = new Map<string, number>();
	for (const [nodeName, count] of counts) {
		const value = cluster.node(nodeName)?.labels[topologyKey];
		if (value !== undefined) domains.set(value, (domains.get(value) ?? 0) + count);
	}
	return domains;
}

function affinityCheck(pod: PodInfo, cluster: ClusterView): NodeCheck | undefined {
	const terms = pod.requiredAffinity;
	if (terms.length === 0) return undefined;
	// A running pod counts if it matches all of the terms.
	const counts = cluster.count(queryFor(terms, cluster));
	const needed = terms.map(({ topologyKey }) => ({ topologyKey, domains: domainCounts(counts, topologyKey, cluster) }));
	// The first pod of a group with affinity to itself may run on any node that has the labels.
	const isFirst =
		needed.every(({ domains }) => domains.size === 0) &&
		terms.every((term) => term.matches(pod, cluster.namespaceLabels));
	return (node) => {
		for (const { topologyKey, domains } of needed) {
			const value = node.labels[topologyKey];
			if (value === undefined || !(isFirst || domains.has(value))) return noFriend;
		}
		return undefined;
	};
}

function ownAntiAffinityCheck(pod: PodInfo, cluster: ClusterView): NodeCheck | undefined {
	if (pod.requiredAntiAffinity.length === 0) return undefined;
	const banned = pod.requiredAntiAffinity.map((term) => ({
		topologyKey: term.topologyKey,
		domains: domainCounts(cluster.count(queryFor([term], cluster)), term.topologyKey, cluster),
	}));
	return (node) =>
		banned.some(({ topologyKey, domains }) => isIn(node.labels[topologyKey], domains)) ? foe : undefined;
}

function othersCheck(pod: PodInfo, cluster: ClusterView): NodeCheck | undefined {
	const banned: { topologyKey: string; domains: Map<string, number> }[] = [];
	for (const { topologyKey, counts } of cluster.antiAffinityAgainst(pod))
		banned.push({ topologyKey, domains: domainCounts(counts, topologyKey, cluster) });
	if (banned.length === 0) return undefined;
	return (node) =>
		banned.some(({ topologyKey, domains }) => isIn(node.labels[topologyKey], domains)) ? foeOfAnother : undefined;
}

function isIn(value: string | undefined, domains: ReadonlyMap<string, number>): boolean {
	return value !== undefined && domains.has(value);
}
