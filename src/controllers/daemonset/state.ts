import type { ControllerRevision, DaemonSet, Node, Pod } from "../../kinds/generated/types.ts";
import type { Claimable } from "../podcontrol/claim.ts";
import type { RevisionName } from "../revisions/history.ts";
import type { Placement } from "./placement.ts";

export interface DaemonSetState {
	set: DaemonSet;
	/** All nodes of the cluster. */
	nodes: readonly Node[];
	pods: Claimable<Pod>;
	history: Claimable<ControllerRevision>;
	/** The name for a new revision. */
	newRevision: RevisionName;
	/** Epoch milliseconds from which each failed pod may be replaced, by UID. */
	retryAtMs: ReadonlyMap<string, number>;
}

export interface NodeState {
	name: string;
	placement: Placement;
	pods: readonly Pod[];
}
