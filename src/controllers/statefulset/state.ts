import type { ControllerRevision, Pod, StatefulSet } from "../../kinds/generated/types.ts";
import type { Claimable } from "../podcontrol/claim.ts";
import type { RevisionName } from "../revisions/history.ts";
import type { Claims } from "./claims.ts";
import type { StorageClasses } from "./extras.ts";

export interface StatefulSetState {
	set: StatefulSet;
	pods: Claimable<Pod>;
	history: Claimable<ControllerRevision>;
	/** Claims of all pods that the set has or should have, by name. */
	claims: Claims;
	/** The classes of its claims; only if they are to grow. */
	storageClasses: StorageClasses;
	/** The name for a new revision. */
	newRevision: RevisionName;
}
