/**
 * Counts of certain pods per node, updated as pods come and go, so that the cost of checking a node does not depend on
 * the number of pods.
 */
import type { AffinityTerm, NamespaceLabels, WeightedTerm } from "./affinity-term.ts";
import type { PodInfo } from "./pod-info.ts";

/** Which pods to count. Queries with the same key count the same pods. */
export interface PodQuery {
	readonly key: string;
	matches(pod: PodInfo): boolean;
}

/** Node name → number of pods; nodes without any are absent. */
export type NodeCounts = ReadonlyMap<string, number>;

interface Tally {
	query: PodQuery;
	counts: Map<string, number>;
}

/**
 * The number of queries kept up to date. The least recently used one is dropped, and recounted when it is used again.
 */
const keptQueries = 256;

export class PodTallies {
	readonly #tallies = new Map<string, Tally>();
	readonly #all: () => Iterable<readonly [pod: PodInfo, nodeName: string]>;

	constructor(all: () => Iterable<readonly [pod: PodInfo, nodeName: string]>) {
		this.#all = all;
	}

	count(query: PodQuery): NodeCounts {
		let tally = this.#tallies.get(query.key);
		if (tally === undefined) {
			tally = { query, counts: new Map() };
			for (const [pod, nodeName] of this.#all()) if (query.matches(pod)) bump(tally.counts, nodeName, 1);
		} else {
			this.#tallies.delete(query.key);
		}
		this.#tallies.set(query.key, tally);
		if (this.#tallies.size > keptQueries) {
			for (const [oldest] of this.#tallies) {
				this.#tallies.delete(oldest);
				break;
			}
		}
		return tally.counts;
	}

	changed(pod: PodInfo, nodeName: string, by: 1 | -1): void {
		for (const { query, counts } of this.#tallies.values()) if (query.matches(pod)) bump(counts, nodeName, by);
	}

	/** Other data that queries use has changed (labels of a namespace). */
	forget(): void {
		this.#tallies.clear();
	}
}

interface HeldTerm {
	term: AffinityTerm;
	weight: number;
	counts: Map<string, number>;
}

/** Affinity terms of running pods, each with the nodes of those pods. Pods of one workload share their terms. */
export class TermIndex {
	readonly #terms = new Map<string, HeldTerm>();

	changed(terms: readonly WeightedTerm[], nodeName: string, by: 1 | -1): void {
		for (const { term, weight } of terms) {
			const key = `${weight}|${term.key}`;
			let held = this.#terms.get(key);
			if (held === undefined) {
				held = { term, weight, counts: new Map() };
				this.#terms.set(key, held);
			}
			bump(held.counts, nodeName, by);
			if (held.counts.size === 0) this.#terms.delete(key);
		}
	}

	/** The terms that match this pod. */
	*matching(
		pod: PodInfo,
		namespaceLabels: NamespaceLabels,
	): Iterable<{ topologyKey: string; weight: number; counts: NodeCounts }> {
		for (const { term, weight, counts } of this.#terms.values())
			if (term.matches(pod, namespaceLabels)) yield { topologyKey: term.topologyKey, weight, counts };
	}
}

function bump(counts: Map<string, number>, nodeName: string, by: 1 | -1): void {
	const count = (counts.get(nodeName) ?? 0) + by;
	if (count <= 0) counts.delete(nodeName);
	else counts.set(nodeName, count);
}
