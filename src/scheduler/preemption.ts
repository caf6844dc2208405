/**
 * Makes room for a pod with higher priority (Kubernetes documentation, "Pod Priority and Preemption"): on which node,
 * and which pods are evicted.
 */

import type { Selector } from "../core/selection/selector.ts";
import { parseTimestamp } from "../core/time/clock.ts";
import type { NodeInfo } from "./model/node-info.ts";
import type { PodInfo } from "./model/pod-info.ts";
import type { Snapshot } from "./model/snapshot.ts";
import { availabilityMessage, prepareFilters, refusalOf, type Unschedulable } from "./plan.ts";

export interface Budget {
	namespace: string;
	selector: Selector;
	/** Disruptions that it allows now. */
	allowed: number;
	/** Names of pods whose disruption it has already counted. */
	disrupted: ReadonlySet<string>;
}

export type Preemption =
	| { nodeName: string; victims: readonly PodInfo[] }
	/** Why preemption is not possible, for the end of the FailedScheduling message. */
	| { message: string };

interface Candidate {
	node: NodeInfo;
	/** Most important first. */
	victims: PodInfo[];
	/** Number of victims whose budget does not allow it. */
	violations: number;
}

/** The number of candidate nodes: a tenth, and at least this many. */
const fewestNodes = 100;

/**
 * @param snapshot pods are removed and added back temporarily; unchanged afterwards
 * @param nominatedNode where room is already being made for the pod
 */
export function planPreemption(
	pod: PodInfo,
	snapshot: Snapshot,
	why: Unschedulable,
	options: { budgets: (namespace: string) => Budget[]; nominatedNode?: string },
): Preemption {
	if (pod.pod.spec.preemptionPolicy === "Never") return { message: "not eligible due to preemptionPolicy=Never." };
	const nominated = options.nominatedNode === undefined ? undefined : snapshot.node(options.nominatedNode);
	if (nominated !== undefined) {
		for (const other of nominated.pods.values())
			if (other.terminating && other.priority < pod.priority)
				return { message: "not eligible due to terminating pod on the nominated node." };
	}
	const enough = Math.max(fewestNodes, Math.floor(snapshot.nodes.length / 10));
	const candidates: Candidate[] = [];
	for (const node of why.candidates) {
		const candidate = tryNode(pod, node, snapshot, options.budgets);
		if (candidate !== undefined) candidates.push(candidate);
		if (candidates.length >= enough) break;
	}
	const best = candidates.reduce<Candidate | undefined>(
		(chosen, candidate) => (chosen === undefined || compare(candidate, chosen) < 0 ? candidate : chosen),
		undefined,
	);
	if (best !== undefined) return { nodeName: best.node.name, victims: best.victims };
	const reasons = new Map<string, number>();
	const hopeless = why.nodeCount - why.candidates.length;
	if (hopeless > 0) reasons.set("Preemption is not helpful for scheduling", hopeless);
	if (why.candidates.length > 0) reasons.set("No preemption victims found for incoming pod", why.candidates.length);
	return { message: availabilityMessage(why.nodeCount, reasons) };
}

/**
 * The fewest and least important pods that must leave the node; undefined if not even removing all pods with lower
 * priority would help.
 */
function tryNode(
	pod: PodInfo,
	node: NodeInfo,
	snapshot: Snapshot,
	budgetsOf: (namespace: string) => Budget[],
): Candidate | undefined {
	const lower = [...node.pods.values()].filter(({ priority }) => priority < pod.priority).sort(moreImportant);
	if (lower.length === 0) return undefined;
	const fits = () => {
		const prepared = prepareFilters(pod, snapshot);
		return prepared.refused === undefined && refusalOf(node, prepared) === undefined;
	};
	for (const victim of lower) snapshot.remove(victim.key);
	const away = new Set(lower);
	try {
		if (!fits()) return undefined;
		const { violating, harmless } = byBudget(lower, budgetsOf);
		const victims: PodInfo[] = [];
		let violations = 0;
		// Pods are added back one by one while the new pod still fits, beginning with those that a budget protects.
		for (const candidate of [...violating, ...harmless]) {
			snapshot.place(candidate, node.name);
			if (fits()) {
				away.delete(candidate);
				continue;
			}
			snapshot.remove(candidate.key);
			victims.push(candidate);
			if (violating.includes(candidate)) violations++;
		}
		return { node, victims: victims.sort(moreImportant), violations };
	} finally {
		for (const victim of away) snapshot.place(victim, node.name);
	}
}

function moreImportant(left: PodInfo, right: PodInfo): number {
	return right.priority - left.priority || startMs(left) - startMs(right);
}

function startMs({ pod }: PodInfo): number {
	return parseTimestamp(pod.status?.startTime ?? pod.metadata.creationTimestamp);
}

/** Which of the pods would violate a disruption budget if all of them were removed. */
function byBudget(
	pods: readonly PodInfo[],
	budgetsOf: (namespace: string) => Budget[],
): { violating: PodInfo[]; harmless: PodInfo[] } {
	const budgets = new Map<string, Budget[]>();
	const violating: PodInfo[] = [];
	const harmless: PodInfo[] = [];
	for (const pod of pods) {
		const own = budgets.get(pod.namespace) ?? budgetsOf(pod.namespace);
		budgets.set(pod.namespace, own);
		let violates = false;
		for (const budget of own) {
			if (!budget.selector.matches(pod.labels)) continue;
			if (budget.disrupted.has(pod.pod.metadata.name)) continue;
			if (--budget.allowed < 0) violates = true;
		}
		(violates ? violating : harmless).push(pod);
	}
	return { violating, harmless };
}

/**
 * Negative if `left` does less harm: budgets, then the most important victim, the sum of priorities, the number of
 * victims and their age.
 */
function compare(left: Candidate, right: Candidate): number {
	const highest = ({ victims }: Candidate) => victims[0]?.priority ?? Number.NEGATIVE_INFINITY;
	// Shifted, so that several victims with negative priority do not seem better than one.
	const sum = ({ victims }: Candidate) => victims.reduce((total, { priority }) => total + priority + 2 ** 31, 0);
	const earliest = (candidate: Candidate) =>
		Math.min(...candidate.victims.filter(({ priority }) => priority === highest(candidate)).map(startMs));
	if (left.violations !== right.violations) return left.violations - right.violations;
	if (highest(left) !== highest(right)) return highest(left) < highest(right) ? -1 : 1;
	if (sum(left) !== sum(right)) return sum(left) - sum(right);
	if (left.victims.length !== right.victims.length) return left.victims.length - right.victims.length;
	// Prefers the candidate whose oldest most important victim is youngest.
	return earliest(right) - earliest(left);
}
