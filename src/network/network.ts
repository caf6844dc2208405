/**
 * The Network seam for the node agent: addresses of pods, routes to other nodes, service addresses. The network of a
 * whole cluster on one machine (switch and node namespaces) is `Machine`, used by cluster/.
 *
 * Contract, checked by contract.ts: every pod reaches every pod and node by address without translation; a service
 * address reaches a ready endpoint, from pods and from the node itself, even if the client is the endpoint.
 */
export interface PodNetwork {
	/** Addresses of the pod, IPv4 first. */
	addresses: string[];
}

/** One port of one service for a node's proxy. Computed by proxy/rules.ts. */
export interface ServicePort {
	/** `namespace/service:port`, unique. */
	name: string;
	protocol: "TCP" | "UDP" | "SCTP";
	/** Virtual addresses: cluster IP, external IPs, load-balancer addresses. */
	addresses: readonly string[];
	port: number;
	/** Also served on every address of the node. */
	nodePort?: number;
	/** Ready endpoints; empty: connections are refused. */
	endpoints: readonly { address: string; port: number }[];
	/** For `externalTrafficPolicy: Local`, the endpoints on this node; undefined: all. */
	localEndpoints?: readonly { address: string; port: number }[];
	/** Session affinity by client address, in seconds; undefined: none. */
	affinitySeconds?: number;
}

export interface NodeNetwork {
	/** Address of the node. */
	readonly nodeAddress: string;
	/** Sets up the pod's namespace with an address that is kept until `detachPod`. Idempotent. */
	attachPod(pod: {
		uid: string;
		namespacePath: string;
		/** `hostAddress`: an address of the node, including 127.0.0.1; undefined: all of them. */
		hostPorts: readonly { hostAddress?: string; hostPort: number; containerPort: number; protocol: string }[];
	}): Promise<PodNetwork>;
	detachPod(uid: string): Promise<void>;
	/** All attached pods, including those attached before the agent restarted. */
	attached(): Promise<Map<string, PodNetwork>>;
	/** Routes to the other nodes' pods; replaces the previous ones. */
	setRoutes(routes: readonly { podCidr: string; via: string }[]): Promise<void>;
	/** All service ports; replaces the previous ones atomically. */
	setServices(ports: readonly ServicePort[]): Promise<void>;
	close(): Promise<void>;
}
