import type { Deployment, ReplicaSet } from "../../kinds/generated/types.ts";
import type { Claimable } from "../podcontrol/claim.ts";

export interface DeploymentState {
	deployment: Deployment;
	sets: Claimable<ReplicaSet>;
	/**
	 * UIDs of the ReplicaSets with pods that have not terminated; only for the strategy Recreate, which waits for them.
	 */
	runningPods: ReadonlySet<string>;
	/** Another ReplicaSet has the name for the template's new set. */
	nameTaken: boolean;
}
