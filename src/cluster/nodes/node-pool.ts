import type { Duplex } from "node:stream";

/** A node that the cluster is to have. */
export interface PoolNode {
	name: string;
	/** Unique among the cluster's nodes; numbers its addresses. */
	index: number;
	address: string;
	podCidr: string;
	labels: Readonly<Record<string, string>>;
	/** Only simulated nodes: taints it registers with. */
	taints?: readonly { key: string; value?: string; effect: string }[];
	/** Only simulated nodes: quantities by resource name, in place of the usual. */
	capacity?: Readonly<Record<string, string>>;
}

/** What makes nodes: namespaces and agent processes on this machine, or simulations in this process. */
export interface NodePool {
	/** As root or as an ordinary user; undefined where that makes no difference. */
	readonly mode?: "root" | "rootless";
	/** Makes the node, or takes over one that an earlier server process left; resolves when its agent runs. */
	add(node: PoolNode): Promise<void>;
	/** Recreates what has ended of the nodes by itself; resolves when every agent runs. Not there where nothing can. */
	repair?(): Promise<void>;
	/** Ends the node and everything on it, and forgets its data. */
	remove(name: string): Promise<void>;
	/** A connection to the node's agent. @throws Error when there is none */
	dial(name: string): Promise<Duplex>;
	/**
	 * A connection to a service's endpoint that is no pod. Undefined where the cluster has nothing of its own there; not
	 * there where nodes answer at no addresses of services.
	 */
	dialAddress?(address: string, port: number): Duplex | undefined;
	agentPid(name: string): number | undefined;
	/** What the node cannot do, a line each. */
	limitations(name: string): readonly string[];
	/** Ends all nodes; their data stay. */
	stop(): Promise<void>;
}
