/**
 * The cluster from the scheduler's perspective: nodes, their pods, and bindings that are decided but not yet observed.
 */
import type { Labels } from "../../core/selection/selector.ts";
import type { Namespace, Node } from "../../kinds/generated/types.ts";
import type { NamespaceLabels, WeightedTerm } from "./affinity-term.ts";
import { type Devices, noDevices } from "./devices.ts";
import { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";
import { type NodeCounts, type PodQuery, PodTallies, TermIndex } from "./tallies.ts";
import { noVolumes, type Volumes } from "./volumes.ts";
import { noWorkloads, type Workloads } from "./workloads.ts";

/**
 * A required affinity also counts as a preference with this weight for later pods (upstream's default
 * hardPodAffinityWeight).
 */
const requiredAffinityWeight = 1;

/** What filters and scores may use. */
export interface ClusterView {
	/** Nodes that exist, in a stable order. */
	readonly nodes: readonly NodeInfo[];
	node(name: string): NodeInfo | undefined;
	readonly volumes: Volumes;
	readonly workloads: Workloads;
	readonly devices: Devices;
	readonly namespaceLabels: NamespaceLabels;
	/** Pods selected by a query, by node. */
	count(query: PodQuery): NodeCounts;
	/** Required anti-affinity terms of running pods that match this pod. */
	antiAffinityAgainst(pod: PodInfo): Iterable<{ topologyKey: string; counts: NodeCounts }>;
	/** Preferences of running pods (and required affinity with a low weight) that match this pod. */
	preferencesFor(pod: PodInfo): Iterable<{ topologyKey: string; weight: number; counts: NodeCounts }>;
	/** Whether any pod uses the claim. */
	claimUsed(namespace: string, claimName: string): boolean;
}

/** Updated incrementally; the cost of an update does not depend on the size of the cluster. */
export class Snapshot implements ClusterView {
	readonly volumes: Volumes;
	readonly workloads: Workloads;
	readonly devices: Devices;
	readonly nodes: NodeInfo[] = [];
	readonly #byName = new Map<string, NodeInfo>();
	readonly #placed = new Map<string, { pod: PodInfo; node: NodeInfo }>();
	readonly #namespaces = new Map<string, Labels>();
	readonly #tallies = new PodTallies(() => this.#all());
	readonly #antiAffinity = new TermIndex();
	readonly #preferences = new TermIndex();
	readonly #claimUsers = new Map<string, number>();
	readonly namespaceLabels: NamespaceLabels = (namespace) => this.#namespaces.get(namespace);

	constructor(lookups: { volumes?: Volumes; workloads?: Workloads; devices?: Devices } = {}) {
		this.volumes = lookups.volumes ?? noVolumes;
		this.workloads = lookups.workloads ?? noWorkloads;
		this.devices = lookups.devices ?? noDevices;
	}

	node(name: string): NodeInfo | undefined {
		const info = this.#byName.get(name);
		return info?.node === undefined ? undefined : info;
	}

	setNode(node: Node): void {
		const info = this.#infoOf(node.metadata.name);
		if (info.node === undefined) this.nodes.push(info);
		info.setNode(node);
	}

	removeNode(name: string): void {
		const info = this.#byName.get(name);
		if (info?.node === undefined) return;
		info.setNode(undefined);
		this.nodes.splice(this.nodes.indexOf(info), 1);
		if (info.pods.size === 0) this.#byName.delete(name);
	}

	/** A pod that is bound to a node, or is about to be. Replaces what was known about it. */
	place(pod: PodInfo, nodeName: string): void {
		this.remove(pod.key);
		const node = this.#infoOf(nodeName);
		node.add(pod);
		this.#placed.set(pod.key, { pod, node });
		this.#changed(pod, nodeName, 1);
	}

	/** The pod was removed, or was not bound after all. */
	remove(key: string): void {
		const placed = this.#placed.get(key);
		if (placed === undefined) return;
		this.#placed.delete(key);
		placed.node.remove(placed.pod);
		this.#changed(placed.pod, placed.node.name, -1);
		if (placed.node.node === undefined && placed.node.pods.size === 0) this.#byName.delete(placed.node.name);
	}

	/** The node of a pod. */
	placed(key: string): { pod: PodInfo; node: NodeInfo } | undefined {
		return this.#placed.get(key);
	}

	setNamespace(name: string, namespace: Namespace | undefined): void {
		const labels = namespace === undefined ? undefined : (namespace.metadata.labels ?? {});
		if (labels === undefined) this.#namespaces.delete(name);
		else this.#namespaces.set(name, labels);
		this.#tallies.forget();
	}

	count(query: PodQuery): NodeCounts {
		return this.#tallies.count(query);
	}

	antiAffinityAgainst(pod: PodInfo): Iterable<{ topologyKey: string; counts: NodeCounts }> {
		return this.#antiAffinity.matching(pod, this.namespaceLabels);
	}

	preferencesFor(pod: PodInfo): Iterable<{ topologyKey: string; weight: number; counts: NodeCounts }> {
		return this.#preferences.matching(pod, this.namespaceLabels);
	}

	claimUsed(namespace: string, claimName: string): boolean {
		return this.#claimUsers.has(`${namespace}/${claimName}`);
	}

	#infoOf(name: string): NodeInfo {
		let info = this.#byName.get(name);
		if (info === undefined) {
			info = new NodeInfo(name);
			this.#byName.set(name, info);
		}
		return info;
	}

	*#all(): Iterable<readonly [PodInfo, string]> {
		for (const { pod, node } of this.#placed.values()) yield [pod, node.name];
	}

	#changed(pod: PodInfo, nodeName: string, by: 1 | -1): void {
		this.#tallies.changed(pod, nodeName, by);
		if (pod.requiredAntiAffinity.length > 0)
			this.#antiAffinity.changed(weighted(pod.requiredAntiAffinity, 1), nodeName, by);
		if (pod.requiredAffinity.length > 0)
			this.#preferences.changed(weighted(pod.requiredAffinity, requiredAffinityWeight), nodeName, by);
		if (pod.preferences.length > 0) this.#preferences.changed(pod.preferences, nodeName, by);
		for (const claimName of pod.claimNames) {
			const key = `${pod.namespace}/${claimName}`;
			const users = (this.#claimUsers.get(key) ?? 0) + by;
			if (users <= 0) this.#claimUsers.delete(key);
			else this.#claimUsers.set(key, users);
		}
	}
}

function weighted(terms: PodInfo["requiredAffinity"], weight: number): readonly WeightedTerm[] {
	return terms.map((term) => ({ term, weight }));
}
