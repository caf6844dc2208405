/** Selects the node for a pod: filters exclude nodes, scores choose among the others. Pure. */
import type { Random } from "../core/time/clock.ts";
import type { ClusterEvent, NodeCheck, Refusal } from "./filters/filter.ts";
import { filters } from "./filters/list.ts";
import { nodeResourcesFit } from "./filters/node-resources.ts";
import type { NodeInfo } from "./model/node-info.ts";
import type { PodInfo } from "./model/pod-info.ts";
import type { ClusterView } from "./model/snapshot.ts";
import { scores } from "./scores/list.ts";

export interface Unschedulable {
	/** Upstream's text: `0/3 nodes are available: 3 Insufficient cpu.` */
	message: string;
	/** Events that may change that. */
	wakesOn: ReadonlySet<ClusterEvent>;
	/** Nodes where removing pods might help, with the reason for their rejection; see preemption.ts. */
	candidates: readonly NodeInfo[];
	nodeCount: number;
}

export type Decision = { nodeName: string } | { unschedulable: Unschedulable };

export interface PlanContext {
	/** Breaks ties between equally good nodes. */
	random: Random;
	/**
	 * The node at which the search begins, so that all nodes get their turn over many pods; advanced by the nodes
	 * checked.
	 */
	cursor: { nextNode: number };
	/** A node reserved for the pod by an earlier preemption is tried first. */
	nominatedNode?: string;
}

/** Filters that apply to a pod, with their preparations. */
export interface PreparedFilters {
	checks: { check: NodeCheck; wakesOn: readonly ClusterEvent[] }[];
	only: ReadonlySet<string> | undefined;
	/** Upstream names of the filters that gave `only`. */
	onlyBy: string[];
	refused?: { refusal: Refusal; wakesOn: readonly ClusterEvent[] };
}

export function prepareFilters(pod: PodInfo, cluster: ClusterView): PreparedFilters {
	const prepared: PreparedFilters = { checks: [], only: undefined, onlyBy: [] };
	for (const filter of filters) {
		const result = filter.prepare(pod, cluster);
		if (result === undefined) continue;
		if ("refused" in result) {
			prepared.refused = { refusal: result.refused, wakesOn: filter.wakesOn };
			return prepared;
		}
		prepared.checks.push({ check: result.check, wakesOn: filter.wakesOn });
		if (result.only !== undefined) {
			const { only } = result;
			const before: ReadonlySet<string> | undefined = prepared.only;
			prepared.only = before === undefined ? only : new Set([...before].filter((name) => only.has(name)));
			prepared.onlyBy.push(filter.name);
		}
	}
	return prepared;
}

/**
 * Decides for one pod. Checks each node at most once; in a large cluster, it stops when enough suitable nodes are found
 * (upstream's percentageOfNodesToScore: all up to 100, then a share that decreases from 50 % to 5 %).
 */
export function planPod(pod: PodInfo, cluster: ClusterView, context: PlanContext): Decision {
	const prepared = prepareFilters(pod, cluster);
	const nodeCount = cluster.nodes.length;
	if (prepared.refused !== undefined) {
		const { refusal, wakesOn } = prepared.refused;
		const message = `0/${nodeCount} nodes are available: ${refusal.reasons.join(", ")}.`;
		return { unschedulable: { message, wakesOn: new Set(wakesOn), candidates: [], nodeCount } };
	}
	const nominated = context.nominatedNode === undefined ? undefined : cluster.node(context.nominatedNode);
	if (nominated !== undefined && refusalOf(nominated, prepared) === undefined) return { nodeName: nominated.name };
	const search = findNodes(prepared, cluster, context);
	if (search.fitting.length === 0) return { unschedulable: explain(search, prepared, cluster) };
	return { nodeName: best(pod, search.fitting, cluster, context.random).name };
}

/** Whether the pod could run on the node now, or if pods with lower priority left it. */
export function mayRunOn(pod: PodInfo, nodeName: string, cluster: ClusterView): boolean {
	const node = cluster.node(nodeName);
	if (node === undefined) return false;
	const prepared = prepareFilters(pod, cluster);
	if (prepared.refused !== undefined) return false;
	const refused = refusalOf(node, prepared);
	return refused === undefined || (!refused.refusal.final && hasLower(node, pod.priority));
}

/** As `mayRunOn`, but considers only resources such as CPU and memory: the same for all pods with the same requests. */
export function mayHaveRoom(pod: PodInfo, nodeName: string, cluster: ClusterView): boolean {
	const node = cluster.node(nodeName);
	const prepared = nodeResourcesFit.prepare(pod, cluster);
	if (node === undefined || prepared === undefined || !("check" in prepared)) return true;
	const refused = prepared.check(node);
	return refused === undefined || (!refused.final && hasLower(node, pod.priority));
}

function hasLower(node: NodeInfo, priority: number): boolean {
	for (const pod of node.pods.values()) if (pod.priority < priority) return true;
	return false;
}

/**
 * Whether a change of this node may allow the pod to be scheduled: on this node, or because of its labels' meaning for
 * others.
 */
export function mayGain(pod: PodInfo, nodeName: string, cluster: ClusterView): boolean {
	if (pod.pod.spec.topologySpreadConstraints !== undefined) return true;
	if (pod.requiredAffinity.length + pod.requiredAntiAffinity.length > 0) return true;
	return mayRunOn(pod, nodeName, cluster);
}

interface Search {
	fitting: NodeInfo[];
	refused: { node: NodeInfo; refusal: Refusal; wakesOn: readonly ClusterEvent[] }[];
}

/** The first filter that rejects the node. */
export function refusalOf(
	node: NodeInfo,
	prepared: PreparedFilters,
): { refusal: Refusal; wakesOn: readonly ClusterEvent[] } | undefined {
	for (const { check, wakesOn } of prepared.checks) {
		const refusal = check(node);
		if (refusal !== undefined) return { refusal, wakesOn };
	}
	return undefined;
}

function findNodes(prepared: PreparedFilters, cluster: ClusterView, context: PlanContext): Search {
	const search: Search = { fitting: [], refused: [] };
	const { nodes, startAt } = nodesToTry(prepared, cluster, context);
	const enough = enoughNodes(nodes.length);
	let looked = 0;
	while (looked < nodes.length && search.fitting.length < enough) {
		const node = nodes[(startAt + looked++) % nodes.length];
		if (node === undefined) break;
		const refused = refusalOf(node, prepared);
		if (refused === undefined) search.fitting.push(node);
		else search.refused.push({ node, ...refused });
	}
	if (nodes === cluster.nodes && nodes.length > 0) context.cursor.nextNode = (startAt + looked) % nodes.length;
	return search;
}

function nodesToTry(
	prepared: PreparedFilters,
	cluster: ClusterView,
	context: PlanContext,
): { nodes: readonly NodeInfo[]; startAt: number } {
	if (prepared.only === undefined)
		return { nodes: cluster.nodes, startAt: context.cursor.nextNode % Math.max(cluster.nodes.length, 1) };
	const named = [...prepared.only].map((name) => cluster.node(name)).filter((node) => node !== undefined);
	return { nodes: named, startAt: 0 };
}

const fewNodes = 100;

function enoughNodes(nodeCount: number): number {
	if (nodeCount <= fewNodes) return nodeCount;
	const percent = Math.max(50 - Math.floor(nodeCount / 125), 5);
	return Math.max(Math.floor((nodeCount * percent) / 100), fewNodes);
}

function best(pod: PodInfo, nodes: readonly NodeInfo[], cluster: ClusterView, random: Random): NodeInfo {
	const [first] = nodes;
	// The caller has found at least one.
	if (first === undefined) throw new Error(`no node to choose for pod ${pod.key}`);
	if (nodes.length === 1) return first;
	const totals = new Array<number>(nodes.length).fill(0);
	for (const score of scores) {
		const ratings = score.rate(pod, nodes, cluster);
		if (ratings === undefined) continue;
		for (let index = 0; index < totals.length; index++)
			totals[index] = (totals[index] ?? 0) + (ratings[index] ?? 0) * score.weight;
	}
	let chosen = first;
	let highest = Number.NEGATIVE_INFINITY;
	let equals = 0;
	let index = 0;
	for (const node of nodes) {
		const total = totals[index++] ?? 0;
		if (total > highest) {
			chosen = node;
			highest = total;
			equals = 1;
		} else if (total === highest && random() * ++equals < 1) chosen = node;
	}
	return chosen;
}

function explain(search: Search, prepared: PreparedFilters, cluster: ClusterView): Unschedulable {
	const nodeCount = cluster.nodes.length;
	if (nodeCount === 0) {
		const message = "no nodes available to schedule pods";
		return { message, wakesOn: new Set(["node"]), candidates: [], nodeCount };
	}
	const counts = new Map<string, number>();
	const wakesOn = new Set<ClusterEvent>(["node"]);
	const candidates: NodeInfo[] = [];
	for (const refused of search.refused) {
		for (const reason of refused.refusal.reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
		for (const event of refused.wakesOn) wakesOn.add(event);
		if (!refused.refusal.final) candidates.push(refused.node);
	}
	const leftOut = nodeCount - search.refused.length;
	if (leftOut > 0) counts.set(`node(s) didn't satisfy plugin(s) [${prepared.onlyBy.join(" ")}]`, leftOut);
	return { message: availabilityMessage(nodeCount, counts), wakesOn, candidates, nodeCount };
}

/** `0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu.` */
export function availabilityMessage(nodeCount: number, reasons: ReadonlyMap<string, number>): string {
	const counted = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort();
	return `0/${nodeCount} nodes are available: ${counted.join(", ")}.`;
}
