/** The nodes of a Job that runs once on each node, and which of them currently match. */
import type { Job, Node } from "../../kinds/generated/types.ts";
import { perNodeOf, type Slot, slotKey, slotOf, slotsOf } from "../../kinds/self-help/per-node.ts";
import { placementFor } from "../daemonset/placement.ts";
import { IndexSet } from "./indexes.ts";

export interface PerNode {
	/** By index. */
	slots: readonly Slot[];
	/** It stays active when all nodes are done, because nodes may be added. */
	follows: boolean;
	/** Indexes whose node was deleted, or does not match currently. */
	unfit: IndexSet;
	/** Of those, indexes whose node exists. */
	unmatched: IndexSet;
}

/** Undefined for other Jobs. */
export function resolvePerNode(job: Job, nodes: readonly Node[] | undefined): PerNode | undefined {
	const mode = perNodeOf(job);
	if (mode === undefined || nodes === undefined) return undefined;
	const slots = slotsOf(job);
	const fits = placementFor(job.spec.template.spec);
	const found = new Map(nodes.map((node) => [slotKey(slotOf(node)), node]));
	const unfit: number[] = [];
	const unmatched: number[] = [];
	for (const [index, slot] of slots.entries()) {
		const node = found.get(slotKey(slot));
		if (node !== undefined && fits(node).shouldRun) continue;
		unfit.push(index);
		if (node !== undefined) unmatched.push(index);
	}
	return { slots, follows: mode === "follow", unfit: IndexSet.of(unfit), unmatched: IndexSet.of(unmatched) };
}
