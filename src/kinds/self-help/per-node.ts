/**
 * Jobs that run to completion once on each node (docs/self-help.md). Such a Job is Indexed, and each index belongs to a
 * node: its number of completions follows the nodes, and the Job controller records the node of each index in an
 * annotation. An index is not reassigned while any state of it exists.
 */
import type { OwnerReference } from "../../core/object.ts";

/** `true`: also on nodes that are added later; `once`: the Job is complete when all nodes are done. */
export const perNodeAnnotation = "coxswain.io/per-node";
/**
 * `node-1=1f3a77c2,node-2=9b04d1e0`: the node of each index with the beginning of its UID, because a new node may have
 * an old name.
 */
export const nodesAnnotation = "coxswain.io/nodes";
/** True if every matching node is done. */
export const allNodesCondition = "coxswain.io/AllNodes";

/** The default number of nodes that may work at the same time. */
export const manyNodes = 10_000;

interface Annotated {
	metadata: { annotations?: Record<string, string>; ownerReferences?: OwnerReference[] };
}

/** `follow`: it has no end, because nodes may be added. The CronJob's next run handles those. */
export function perNodeOf({ metadata }: Annotated): "follow" | "once" | undefined {
	const value = metadata.annotations?.[perNodeAnnotation];
	if (value === undefined) return undefined;
	if (value === "once") return "once";
	if (value !== "true") return undefined;
	return metadata.ownerReferences?.some(({ kind, controller }) => kind === "CronJob" && controller) ? "once" : "follow";
}

/** The node of an index. */
export interface Slot {
	node: string;
	/** The first characters of its UID. */
	uid: string;
}

const shownUid = 8;

export function slotOf({ metadata }: { metadata: { name: string; uid: string } }): Slot {
	return { node: metadata.name, uid: metadata.uid.slice(0, shownUid) };
}

export function slotsOf({ metadata }: Annotated): Slot[] {
	const text = metadata.annotations?.[nodesAnnotation] ?? "";
	if (text === "") return [];
	return text.split(",").map((part) => {
		const [node = "", uid = ""] = part.split("=");
		return { node, uid };
	});
}

export function slotsText(slots: readonly Slot[]): string {
	return slots.map(({ node, uid }) => `${node}=${uid}`).join(",");
}

export function slotKey({ node, uid }: Slot): string {
	return `${node}=${uid}`;
}
