import type { Duplex } from "node:stream";
import type { PodNetwork } from "../../network/network.ts";
import type { SavedState } from "../../runtime/simulated/state.ts";

/** A node of the cluster. */
export interface PoolNode {
	name: string;
	/** Unique among the cluster's nodes; determines its addresses. */
	index: number;
	address: string;
	podCidr: string;
	labels: Readonly<Record<string, string>>;
	/** Only simulated nodes: taints that it registers with. */
	taints?: readonly { key: string; value?: string; effect: string }[];
	/** Only simulated nodes: quantities by resource name, instead of the default. */
	capacity?: Readonly<Record<string, string>>;
}

/** What simulated nodes run, by their names, and the addresses of their pods by UID. */
export type SavedNodes = ReadonlyMap<string, { containers: SavedState; network: ReadonlyMap<string, PodNetwork> }>;

/** Creates nodes: namespaces and agent processes on this machine, or simulations in this process. */
export interface NodePool {
	/** As root or as an ordinary user; undefined if this does not matter. */
	readonly mode?: "root" | "rootless";
	/** What does not work between the cluster and other networks, one sentence each; absent: none is connected. */
	readonly notes?: readonly string[];
	/** The command that runs its arguments in a network that reaches all nodes and pods; undefined: there is none. */
	enterSwitch?(): Promise<readonly [string, ...string[]]>;
	/** Creates the node, or takes over one that an earlier server process left; resolves when its agent is running. */
	add(node: PoolNode): Promise<void>;
	/** Recreates parts of nodes that have ended; resolves when every agent is running. Absent if nothing can end. */
	repair?(): Promise<void>;
	/** Stops the node and everything on it, and deletes its data. */
	remove(name: string): Promise<void>;
	/**
	 * A connection to the node's agent.
	 * @throws Error if there is none
	 */
	dial(name: string): Promise<Duplex>;
	/**
	 * A connection to a service's endpoint that is not a pod. Undefined for other addresses; absent if nodes do not serve
	 * addresses of services.
	 */
	dialAddress?(address: string, port: number): Duplex | undefined;
	/** What every node runs at this moment. Absent unless nodes are simulated. */
	save?(): SavedNodes;
	agentPid(name: string): number | undefined;
	/** Features that the node lacks, one line each. */
	limitations(name: string): readonly string[];
	/** Stops all nodes; their data are kept. */
	stop(): Promise<void>;
}
