/** What the agent can do for one pod. */
import type { Backoff, ContainerRole, Verdict, WaitingReason } from "./pod-state.ts";

export type PodAction =
	| { do: "mountVolumes" }
	/** `replaces` is the sandbox that is no longer ready. */
	| { do: "createSandbox"; attempt: number; replaces?: string }
	| { do: "startContainer"; name: string; role: ContainerRole; attempt: number; backoff?: Backoff }
	/** Holds a restart back: the container shows CrashLoopBackOff. */
	| { do: "holdBack"; name: string; waiting: WaitingReason }
	/** `restarts`: it is started again whatever the restart policy, as its spec has changed. */
	| { do: "stopContainer"; name: string; id: string; graceSeconds: number; message: string; restarts?: true }
	| { do: "removeContainer"; name: string; id: string }
	/** Other resources are wanted: is there room? */
	| { do: "judgeResize" }
	| { do: "updateResources"; name: string; id: string }
	/** Of the pod as a whole. */
	| { do: "updatePodResources"; id: string }
	/** From here on the pod only ends. */
	| { do: "end"; verdict?: Verdict }
	/** Gives sandboxes, network and volumes back. */
	| { do: "release" }
	/** Deletes the pod from the API, with grace 0. */
	| { do: "deletePod" }
	/** Nothing of the pod is to stay on the node. */
	| { do: "remove" };

export interface PodPlan {
	actions: PodAction[];
	/** Epoch milliseconds at which to plan again. */
	wakeAtMs?: number;
}
