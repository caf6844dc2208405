/**
 * What the NetworkPolicies of a cluster mean for the pods of one node: computed by proxy/policy/, enforced by
 * linux/policy-table.ts. A pod without policies for a direction is not isolated in it.
 */
export type PolicyDirection = "ingress" | "egress";

export interface PolicyRules {
	/** The isolated pods of this node, and the policies (keys of `policies`) that let traffic through to or from them. */
	readonly isolated: readonly IsolatedPod[];
	/** By `NAMESPACE/NAME/DIRECTION`. */
	readonly policies: ReadonlyMap<string, readonly PolicyRule[]>;
}

export interface IsolatedPod {
	readonly address: string;
	/** Undefined: everything may come in. */
	readonly ingress?: readonly string[];
	/** Undefined: everything may go out. */
	readonly egress?: readonly string[];
}

/** Lets through what both parts describe. */
export interface PolicyRule {
	/** The other side of a connection; undefined: anyone. */
	readonly peers?: {
		/** Undefined: the rule names blocks only. */
		readonly addresses?: readonly string[];
		/** CIDRs, with the CIDRs that are left out, none of which contains another. */
		readonly blocks: readonly { readonly cidr: string; readonly except: readonly string[] }[];
	};
	/** Undefined: everything, protocols without ports included. */
	readonly ports?: {
		/** Ranges of a protocol do not overlap. */
		readonly ranges: readonly { readonly protocol: PolicyProtocol; readonly from: number; readonly to: number }[];
		/** Ports with the names of the rule, of the pods that connections lead to; undefined: it has no names. */
		readonly named?: readonly { readonly address: string; readonly protocol: PolicyProtocol; readonly port: number }[];
	};
}

export type PolicyProtocol = "TCP" | "UDP" | "SCTP";
