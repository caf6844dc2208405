/**
 * What the server process and an agent process say to each other: a configuration file, then Node's IPC, which begins
 * with the tokens.
 */
import type { KubeletDocument } from "../../node/context/kubelet-configuration.ts";
import type { ClusterNetwork } from "../settings/cluster-network.ts";

export interface AgentConfig extends ClusterNetwork {
	node: string;
	address: string;
	podCidr: string;
	labels: Record<string, string>;
	/** Directories of this cluster and of the others that run on this machine, which no container may see. */
	hidden: readonly string[];
	/** Where the data directories of clusters are entered that do not run, or are started later (data-directories.ts). */
	registers: readonly string[];
	/** The node's directory, as machine.addNode was given it. */
	directory: string;
	/** The node's view of the machine, where hostPath volumes resolve. */
	viewDirectory: string;
	/** For the writable layers of containers. */
	scratchDirectory: string;
	/** Name of the node's control groups. */
	cgroup: string;
	/** The user's table of images, and the package's stand-ins. */
	imagesFile: string;
	/** Programs of the package that replace programs that the machine lacks. */
	standIns: string;
	/** Directory of the Localhost profiles of seccomp, where no pod can put any; need not exist. */
	seccompProfiles: string;
	/** Whether containers see the machine's home directories and credentials. */
	showHome: boolean;
	/** What the cluster's file of a KubeletConfiguration says; absent: nothing. */
	kubelet?: KubeletDocument;
	apiSocket: string;
	apiTlsSocket: string;
	agentSocket: string;
}

/** Bearer tokens for the API: one for each identity that an agent process has. They are in no file. */
export interface AgentTokens {
	/** `system:node:NAME` */
	node: string;
	/** `system:kube-proxy` */
	proxy: string;
	/** The service account of CoreDNS. */
	dns: string;
	/** The service account of kube-state-metrics. */
	stateMetrics: string;
}

export type AgentMessage = { type: "ready"; limitations: readonly string[] } | { type: "failed"; message: string };

/**
 * From the server. A lost channel means the same as `stop`: the server is gone, and the next one starts a new agent.
 */
export type AgentOrder = { type: "start"; tokens: AgentTokens } | { type: "stop" };
