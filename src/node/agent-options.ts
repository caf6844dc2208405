/** What an agent is assembled of. */
import type { Client } from "../client/client.ts";
import type { InformerCache } from "../client/informer-cache.ts";
import type { MetricRegistry } from "../core/metrics/registry.ts";
import type { Clock } from "../core/time/clock.ts";
import type { NodeNetwork } from "../network/network.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { KubeletConfiguration } from "./context/kubelet-configuration.ts";
import type { Prober } from "./context/node-context.ts";
import type { InMemoryRuntime } from "./context/runtime-view.ts";
import type { LogKeeper } from "./history/log-keeper.ts";
import type { NodeFacts } from "./machine/node-object.ts";
import type { PodSource } from "./pod-source.ts";
import type { WatchedReferences } from "./references.ts";
import type { Directories } from "./volumes/layout.ts";

export interface AgentOptions {
	client: Client;
	clock: Clock;
	runtime: Runtime;
	/**
	 * Additional functions of a runtime that keeps everything in memory. Absent: the runtime lists its pods, and logs are
	 * files.
	 */
	inMemory?: InMemoryRuntime;
	/** Absent: pods get no addresses of their own. */
	network?: NodeNetwork;
	/** Missing facts are read from the machine. */
	node: { name: string; addresses: readonly string[] } & Partial<NodeFacts>;
	/** Where the node keeps its files. Absent for a simulated node, which keeps none. */
	directories?: Directories;
	/** Directory of static pods. Absent: there are none. */
	manifests?: string;
	/** The store of images. */
	imageDirectory?: string;
	pods: PodSource;
	/** ConfigMaps and Secrets that pods name, if many nodes share them. Default: the node watches its own. */
	references?: WatchedReferences;
	/** Source of the Services for environment variables. Absent: there are no such variables. */
	informers?: InformerCache;
	/** Default `cluster.local`. */
	clusterDomain?: string;
	/** Address of the cluster's DNS. */
	clusterDns?: string;
	/** How probes are carried out. Default: like the kubelet. */
	prober?: Prober;
	/** False: Events are not written. */
	events?: boolean;
	/** Counters of the agent. Absent: it counts nothing. */
	metrics?: MetricRegistry;
	/** Delivers the logs of Jobs' containers to the run history; absent: they are not delivered. */
	logKeeper?: LogKeeper;
	/** Default: upstream's defaults with two exceptions, see `usualKubeletConfiguration`. */
	configuration?: KubeletConfiguration;
	/** Duration of the node's Lease. Default 40 s, renewed every 10 s. */
	leaseMs?: number;
	/** The node's own resolvers, for pods that do not use the cluster's DNS; default: /etc/resolv.conf. */
	resolvConf?: string;
}
