/** The protocol of `cox` and the server process on the control socket: small JSON over HTTP. */
import type { RuntimeKind } from "../../runtime/runtime-kind.ts";

export interface NodeStatus {
	name: string;
	address: string;
	podCidr: string;
	ready: boolean;
	/** The agent's PID; undefined for a simulated node or while the agent is not running. */
	agentPid?: number;
	/** Features that the node lacks, one line each. */
	limitations: readonly string[];
}

export interface ClusterStatus {
	version: string;
	pid: number;
	server: string;
	kubeconfig: string;
	runtime: RuntimeKind;
	clock: ClockStatus;
	/** How nodes are created on this machine; undefined with simulated nodes. */
	mode?: "root" | "rootless";
	nodes: NodeStatus[];
	/** Weak points of this machine, one line each. */
	security: readonly string[];
	/** How often the server process was restarted since `cox up`, and how the last one ended. */
	restarts: { count: number; last?: string };
	/** URLs at which Ingresses are served; none while the cluster has no IngressClass for it. */
	ingressUrls: readonly string[];
	/** Problems that the cluster will have, one sentence each. */
	warnings: readonly string[];
	/** The process that restarts the server process; undefined if it has ended. */
	supervisorPid?: number;
	/**
	 * Milliseconds from the start of the server process until every node was Ready and the default service account
	 * existed.
	 */
	readyAfterMs?: number;
}

export interface ClockStatus {
	kind: "system" | "virtual";
	/** Epoch milliseconds. */
	nowMs: number;
	/** Virtual time only: the speed relative to real time; 0 while it is stopped. */
	rate?: number;
}

export interface AddNodes {
	/** Names, or the number of nodes, which the cluster names. */
	names?: string[];
	count?: number;
	labels?: Record<string, string>;
}

export type ClockCommand =
	| { do: "show" }
	| { do: "stop" }
	/** Advances by this duration and fires all due timers; then stops, or continues as before. */
	| { do: "advance"; durationMs: number; thenStand: boolean }
	/** Runs at `rate` times real time. */
	| { do: "run"; rate: number };

/** Who looks at the dashboard. */
export interface DashboardRequest {
	/** Default: the cluster's administrator. */
	user?: string;
	groups?: readonly string[];
	/** Refuse everything that changes something. */
	readOnly?: boolean;
}

export interface ControlRequests {
	status: { body: undefined; reply: ClusterStatus };
	/** Responds when every node is Ready, and those that had ended are recreated. */
	ready: { body: undefined; reply: ClusterStatus };
	addNodes: { body: AddNodes; reply: NodeStatus[] };
	removeNode: { body: { name: string }; reply: NodeStatus };
	clock: { body: ClockCommand; reply: ClockStatus };
	/** Responds with a link that logs in once. */
	dashboard: { body: DashboardRequest; reply: { url: string } };
	/** Responds when every Secret was written with a new key, and the old key is deleted. */
	rotateSecrets: { body: undefined; reply: { count: number } };
	/** Writes a copy of the store to an existing folder. */
	copyStore: { body: { folder: string }; reply: Record<string, never> };
	stop: { body: undefined; reply: Record<string, never> };
}

/** What the server process sends to its parent after startup, over Node's IPC. */
export type StartReport =
	| { type: "ready"; status: ClusterStatus }
	| { type: "failed"; message: string }
	| { type: "progress"; text: string };
