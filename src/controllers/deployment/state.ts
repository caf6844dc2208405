import type { Deployment, ReplicaSet } from "../../kinds/generated/types.ts";
import type { Claimable } from "../podcontrol/claim.ts";

export interface DeploymentState {
	deployment: Deployment;
	sets: Claimable<ReplicaSet>;
	/** Uids of the ReplicaSets with pods that have not ended; only for the strategy Recreate, which waits for them. */
	runningPods: ReadonlySet<string>;
	/** A ReplicaSet that has the name of the one that would be made for the template. */
	nameTaken: boolean;
}
