/**
 * The protocol of the server process and an agent process: a configuration file, then messages over Node's IPC,
 * beginning with the tokens.
 */
import type { KubeletDocument } from "../../node/context/kubelet-configuration.ts";
import type { ImageSource } from "../../runtime/process/images/choose-source.ts";
import type { PullResult, PullWish } from "../../runtime/process/images/image-service.ts";
import type { ClusterNetwork } from "../settings/cluster-network.ts";

export interface AgentConfig extends ClusterNetwork {
	node: string;
	/** What runs its containers. */
	runtime: "process" | "containerd";
	/** Path of the socket of the node's containerd. */
	criSocket: string;
	address: string;
	podCidr: string;
	labels: Record<string, string>;
	/** Directories of this cluster and of other running clusters on this machine, which no container may see. */
	hidden: readonly string[];
	/** Registers of the data directories of clusters that are stopped, or started later (data-directories.ts). */
	registers: readonly string[];
	/** The node's directory, as passed to machine.addNode. */
	directory: string;
	/** The node's view of the machine, in which hostPath volumes are resolved. */
	viewDirectory: string;
	/** For the writable layers of containers. */
	scratchDirectory: string;
	/** Name of the node's control groups. */
	cgroup: string;
	/** The user's table of images, and the package's stand-ins. */
	imagesFile: string;
	/** Programs of the package that replace programs that the machine lacks. */
	standIns: string;
	/** Directory of static pods of all nodes, unless the KubeletConfiguration names one. */
	manifests: string;
	/** Where images come from, and the directory of their store. */
	images: { source: ImageSource; store: string };
	/** Directory of Localhost seccomp profiles, which pods cannot write to; need not exist. */
	seccompProfiles: string;
	/** Whether containers see the machine's home directories and credentials. */
	showHome: boolean;
	/** The cluster's KubeletConfiguration; absent: defaults. */
	kubelet?: KubeletDocument;
	apiSocket: string;
	apiTlsSocket: string;
	agentSocket: string;
	/** Asks the machine's resolvers. */
	dnsSocket: string;
}

/** Bearer tokens for the API: one for each identity of an agent process. They are in no file. */
export interface AgentTokens {
	/** `system:node:NAME` */
	node: string;
	/** `system:kube-proxy` */
	proxy: string;
	/** The service account of CoreDNS. */
	dns: string;
	/** The service account of kube-state-metrics. */
	stateMetrics: string;
	/** The service account of network policies. */
	policies: string;
}

export type AgentMessage =
	| { type: "ready"; limitations: readonly string[] }
	| { type: "failed"; message: string }
	/** Nodes have no way out of the cluster: the server has images pulled. */
	| { type: "pull"; id: number; wish: PullWish }
	| { type: "cancelPull"; id: number }
	| { type: "shutDown" }
	| { type: "removeUnusedImages"; id: number };

/**
 * From the server. A lost channel means the same as `stop`: the server is gone, and the next one starts a new agent.
 */
export type AgentOrder =
	| { type: "start"; tokens: AgentTokens }
	| { type: "pulled"; id: number; result: PullResult }
	/** Ends all pods, because the node will stop; answered by `shutDown`. */
	| { type: "shutDown" }
	| { type: "stop" };
