/** Jobs that run once on each node: assigns indexes to nodes, and reports the state of each (docs/self-help.md). */

import { isTrue } from "../../core/conditions.ts";
import { timestamp } from "../../core/time/clock.ts";
import { jobs } from "../../kinds/batch/job.ts";
import type { Job, JobCondition, Node, Pod } from "../../kinds/generated/types.ts";
import { allNodesCondition, nodesAnnotation, slotKey, slotOf, slotsText } from "../../kinds/self-help/per-node.ts";
import { placementFor } from "../daemonset/placement.ts";
import { event, patch } from "../runtime/actions.ts";
import type { Action } from "../runtime/controller.ts";
import { IndexSet } from "./indexes.ts";
import type { PerNode } from "./per-node.ts";
import { indexesOf, type PodCounts } from "./pod-counts.ts";
import { indexOf } from "./pods.ts";

/** A Job that has had more nodes accepts no new ones: each is remembered. */
const mostSlots = 5000;
/** The number of names in one part of the condition's message. */
const mostNames = 20;

/** Assigns indexes to nodes without one. The changes apply from the next plan on. */
export function followNodes(
	job: Job,
	nodes: readonly Node[],
	{ slots }: PerNode,
	podCounts: PodCounts,
	pods: readonly Pod[],
): Action[] {
	if (job.metadata.deletionTimestamp !== undefined || isTrue(job, "FailureTarget") || isTrue(job, "SuccessCriteriaMet"))
		return [];
	const fits = placementFor(job.spec.template.spec);
	const known = new Set(slots.map(slotKey));
	const fresh = nodes.filter((node) => !known.has(slotKey(slotOf(node))) && fits(node).shouldRun).map(slotOf);
	fresh.sort((left, right) => (left.node < right.node ? -1 : 1));
	const next = [...slots];
	if (fresh.length > 0) {
		const there = new Set(nodes.map((node) => slotKey(slotOf(node))));
		const held = new Set(pods.map((pod) => indexOf(pod)));
		const done = podCounts.succeededIndexes.union(podCounts.failedIndexes ?? IndexSet.empty);
		// An index of a deleted node without any remaining state is free.
		for (const [index, slot] of slots.entries()) {
			if (there.has(slotKey(slot)) || held.has(index) || done.has(index)) continue;
			const taker = fresh.shift();
			if (taker === undefined) break;
			next[index] = taker;
		}
		next.push(...fresh.splice(0, Math.max(mostSlots - next.length, 0)));
	}
	const tooMany =
		fresh.length === 0
			? []
			: [
					event(
						job,
						"Warning",
						"TooManyNodes",
						`it has had ${mostSlots} nodes and takes no more, such as ${fresh[0]?.node}`,
					),
				];
	const text = slotsText(next);
	if (text === slotsText(slots) && job.spec.completions === next.length) return tooMany;
	const { namespace, name, uid } = job.metadata;
	const change = { metadata: { uid, annotations: { [nodesAnnotation]: text } }, spec: { completions: next.length } };
	return [...tooMany, patch(jobs, { namespace, name }, { type: "merge", patch: change }, { orGone: true })];
}

/**
 * The state of every node.
 * @param more.begun indexes for which this plan creates pods
 */
export function nodesCondition(
	perNode: PerNode,
	podCounts: PodCounts,
	{ before, begun, nowMs }: { before: JobCondition | undefined; begun: readonly number[]; nowMs: number },
): JobCondition {
	const { slots, unfit, unmatched } = perNode;
	const active = indexesOf(podCounts.active, slots.length).union(IndexSet.of(begun));
	const groups = {
		succeeded: [] as string[],
		failed: [] as string[],
		running: [] as string[],
		waiting: [] as string[],
	};
	const away: string[] = [];
	for (const [index, { node }] of slots.entries()) {
		if (podCounts.succeededIndexes.has(index)) groups.succeeded.push(node);
		else if (active.has(index)) groups.running.push(node);
		else if (unmatched.has(index)) away.push(node);
		else if (unfit.has(index)) continue;
		else if (podCounts.failedIndexes?.has(index)) groups.failed.push(node);
		else groups.waiting.push(node);
	}
	const { succeeded, failed, running, waiting } = groups;
	const done = succeeded.length > 0 && failed.length + running.length + waiting.length === 0;
	const reason = done ? "Completed" : slots.length === 0 ? "NoNodes" : failed.length > 0 ? "FailedNodes" : "Running";
	const parts = [
		...Object.entries(groups).flatMap(([state, names]) => (names.length === 0 ? [] : [`${state}: ${listed(names)}`])),
		...(away.length === 0 ? [] : [`not matching: ${listed(away)}`]),
	];
	const message = slots.length === 0 ? "no node matches" : parts.join("; ");
	const status = done ? "True" : "False";
	if (before?.status === status && before.reason === reason && before.message === message) return before;
	const now = timestamp(nowMs);
	const lastTransitionTime = before?.status === status ? before.lastTransitionTime : now;
	return { type: allNodesCondition, status, lastProbeTime: now, lastTransitionTime, reason, message };
}

function listed(names: readonly string[]): string {
	const shown = names.slice(0, mostNames).join(", ");
	return names.length <= mostNames ? shown : `${shown} and ${names.length - mostNames} more`;
}
