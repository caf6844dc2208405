/** The actions that the agent can carry out for a pod. */
import type { Backoff, ContainerRole, Verdict, WaitingReason } from "./pod-state.ts";

export type PodAction =
	| { do: "mountVolumes" }
	/** `replaces` is the sandbox that is no longer ready. */
	| { do: "createSandbox"; attempt: number; replaces?: string }
	| { do: "startContainer"; name: string; role: ContainerRole; attempt: number; backoff?: Backoff }
	/** Delays a restart: the container shows CrashLoopBackOff. */
	| { do: "holdBack"; name: string; waiting: WaitingReason }
	/** `restarts`: the container starts again regardless of the restart policy, because its spec has changed. */
	| { do: "stopContainer"; name: string; id: string; graceSeconds: number; message: string; restarts?: true }
	| { do: "removeContainer"; name: string; id: string }
	/** Different resources are requested: checks whether they are available. */
	| { do: "judgeResize" }
	| { do: "updateResources"; name: string; id: string }
	/** Updates the limits of the pod as a whole. */
	| { do: "updatePodResources"; id: string }
	/** From now on the pod is only being stopped. */
	| { do: "end"; verdict?: Verdict }
	/** Releases sandboxes, network and volumes. */
	| { do: "release" }
	/** Deletes the pod from the API with grace period 0. */
	| { do: "deletePod" }
	/** Removes everything of the pod from the node. */
	| { do: "remove" };

export interface PodPlan {
	actions: PodAction[];
	/** Epoch milliseconds at which to plan again. */
	wakeAtMs?: number;
}
