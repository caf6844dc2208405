/** What `cox` and the server process say to each other over the control socket: small JSON over HTTP. */

export interface NodeStatus {
	name: string;
	address: string;
	podCidr: string;
	ready: boolean;
	/** The agent's process id; undefined for a simulated node or while the agent is away. */
	agentPid?: number;
	/** What the node cannot do, a line each. */
	limitations: readonly string[];
}

export interface ClusterStatus {
	version: string;
	pid: number;
	server: string;
	kubeconfig: string;
	runtime: "process" | "simulated";
	clock: ClockStatus;
	/** How nodes are made on this machine; undefined with simulated nodes. */
	mode?: "root" | "rootless";
	nodes: NodeStatus[];
	/** Weak points of this machine, a line each. */
	security: readonly string[];
	/** How often the server process was started again since `cox up`, and how the last one ended. */
	restarts: { count: number; last?: string };
	/** Problems that the cluster will have, one sentence each. */
	warnings: readonly string[];
	/** What keeps the server process running; undefined when that has ended. */
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
	/** Virtual time only: how many times faster than real time it runs; 0 while it stands. */
	rate?: number;
}

export interface AddNodes {
	/** Names; or a count of nodes to be named by the cluster. */
	names?: string[];
	count?: number;
	labels?: Record<string, string>;
}

export type ClockCommand =
	| { do: "show" }
	| { do: "stop" }
	/** Advances by this duration and fires all due timers; then stops, or continues as before. */
	| { do: "advance"; durationMs: number; thenStand: boolean }
	/** Let it run at `rate` times real time. */
	| { do: "run"; rate: number };

export interface ControlRequests {
	status: { body: undefined; reply: ClusterStatus };
	/** Answers when every node is Ready, and those that had ended are recreated. */
	ready: { body: undefined; reply: ClusterStatus };
	addNodes: { body: AddNodes; reply: NodeStatus[] };
	removeNode: { body: { name: string }; reply: NodeStatus };
	clock: { body: ClockCommand; reply: ClockStatus };
	/** Answers when every Secret is written with a new key, and the old key is gone. */
	rotateSecrets: { body: undefined; reply: { count: number } };
	/** Writes a copy of the store into a folder that exists. */
	copyStore: { body: { folder: string }; reply: Record<string, never> };
	stop: { body: undefined; reply: Record<string, never> };
}

/** What the server process sends to its parent after startup, over Node's IPC. */
export type StartReport =
	| { type: "ready"; status: ClusterStatus }
	| { type: "failed"; message: string }
	| { type: "progress"; text: string };
