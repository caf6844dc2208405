/**
 * The Network seam as the node agent sees it: addresses for pods, routes to other nodes, service addresses. What a
 * whole cluster needs on one machine (switch and node namespaces) is `Machine`, used by cluster/.
 *
 * Contract, checked by contract.ts: every pod reaches every pod and node by address without translation; a service
 * address reaches a ready endpoint, from pods and from the node itself, also an endpoint behind itself.
 */
export interface PodNetwork {
	/** Addresses of the pod, IPv4 first. */
	addresses: string[];
}

/** One port of one service as the node's proxy has to treat it. Computed by proxy/rules.ts. */
export interface ServicePort {
	/** `namespace/service:port`, unique. */
	name: string;
	protocol: "TCP" | "UDP" | "SCTP";
	/** Virtual addresses: cluster IP, external IPs, load-balancer addresses. */
	addresses: readonly string[];
	port: number;
	/** Also on every address of the node. */
	nodePort?: number;
	/** Ready endpoints to choose from; empty: connections are refused. */
	endpoints: readonly { address: string; port: number }[];
	/** For `externalTrafficPolicy: Local`, the endpoints on this node; undefined: all. */
	localEndpoints?: readonly { address: string; port: number }[];
	/** Stickiness by client address, seconds; undefined for none. */
	affinitySeconds?: number;
}

export interface NodeNetwork {
	/** The node's own address. */
	readonly nodeAddress: string;
	/** Sets up the pod's namespace with an address that stays until `detachPod`. Idempotent. */
	attachPod(pod: {
		uid: string;
		namespacePath: string;
		/** `hostAddress`: the one address of the node, 127.0.0.1 included; undefined: all of them. */
		hostPorts: readonly { hostAddress?: string; hostPort: number; containerPort: number; protocol: string }[];
	}): Promise<PodNetwork>;
	detachPod(uid: string): Promise<void>;
	/** Pods attached now, also those attached before the agent restarted. */
	attached(): Promise<Map<string, PodNetwork>>;
	/** Routes to the other nodes' pods; replaces what was set before. */
	setRoutes(routes: readonly { podCidr: string; via: string }[]): Promise<void>;
	/** All service ports there are; replaces what was set before, in one step. */
	setServices(ports: readonly ServicePort[]): Promise<void>;
	close(): Promise<void>;
}
