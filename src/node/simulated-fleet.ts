/**
 * Many simulated nodes in one process: they share a client, an informer cache and a clock. A node without work only
 * costs its heartbeat.
 */
import type { Client } from "../client/client.ts";
import type { InformerCache } from "../client/informer-cache.ts";
import type { Clock } from "../core/time/clock.ts";
import { persistentVolumes } from "../kinds/storage/persistentvolume.ts";
import type { NodeNetwork } from "../network/network.ts";
import type { SimulatedRuntime } from "../runtime/simulated/runtime.ts";
import { type Agent, startAgent } from "./agent.ts";
import type { Prober } from "./context/node-context.ts";
import { LogKeeper, type LogKeeperParts } from "./history/log-keeper.ts";
import { shortenLease } from "./machine/heartbeat.ts";
import type { NodeFacts } from "./machine/node-object.ts";
import { type PodSource, sharedPodSource } from "./pod-source.ts";
import { WatchedReferences } from "./references.ts";
import { watchLocalVolumes } from "./volumes/local-volumes.ts";

export interface FleetOptions {
	/** Requests are made as the node. */
	client(nodeName: string): Client;
	/** Watches the ConfigMaps and Secrets that the pods of all nodes name. */
	reader: Client;
	/** For pods, services and volumes. */
	informers: InformerCache;
	clock: Clock;
	/** Creates the runtime of one node. */
	runtime(nodeName: string): SimulatedRuntime;
	network?(node: FleetNode): NodeNetwork;
	/** False: pods' Events are not written, which halves the number of writes per pod. Default true. */
	events?: boolean | undefined;
	/**
	 * Duration of the nodes' Leases; default 40 s. In virtual time, one day saves a cluster most of its writes; the lease
	 * of a removed node is shortened.
	 */
	leaseMs?: number | undefined;
	clusterDomain?: string;
	/** Receives the logs of Jobs' containers; absent: they are not delivered. */
	keepLogs?: LogKeeperParts["deliver"] | undefined;
}

export interface FleetNode extends Partial<NodeFacts> {
	name: string;
	addresses: readonly string[];
}

export interface Fleet {
	/** Resolves when the node is registered. */
	add(node: FleetNode): Promise<Agent>;
	get(name: string): Agent | undefined;
	/** Stops the node's agent like a power failure: nothing is cleaned up in the API. */
	remove(name: string): Promise<void>;
	stop(): Promise<void>;
}

/** The default capacity of a simulated node, for many pods. */
export const plenty: Readonly<Record<string, string>> = {
	cpu: "32",
	memory: "256Gi",
	"ephemeral-storage": "1Ti",
	pods: "500",
};

/** Probes of a simulated container succeed while it runs. */
export const succeedingProber: Prober = async () => ({ ok: true });

export function startSimulatedFleet(options: FleetOptions): Fleet {
	const { reader, informers, clock } = options;
	const source: PodSource = sharedPodSource(informers);
	const references = new WatchedReferences(reader, clock);
	const agents = new Map<string, Agent>();
	// Shared by all nodes: logs of containers that terminate at the same time are delivered together.
	const logKeeper = options.keepLogs && new LogKeeper({ clock, deliver: options.keepLogs });
	// Simulated volumes have no directories, but their finalizer is removed, too.
	const volumes = watchLocalVolumes({
		client: options.client,
		volumes: informers.of(persistentVolumes),
		clock,
		isOwn: (hostname) => agents.has(hostname),
		remove: async () => {},
	});
	return {
		async add(node) {
			const network = options.network?.(node);
			const runtime = options.runtime(node.name);
			const agent = await startAgent({
				client: options.client(node.name),
				clock,
				informers,
				pods: source,
				references,
				runtime,
				inMemory: runtime,
				...(network === undefined ? {} : { network }),
				node: { capacity: plenty, allocatable: plenty, ...node },
				prober: succeedingProber,
				...(logKeeper === undefined ? {} : { logKeeper }),
				...(options.events === undefined ? {} : { events: options.events }),
				...(options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }),
				...(options.clusterDomain === undefined ? {} : { clusterDomain: options.clusterDomain }),
			});
			agents.set(node.name, agent);
			// Volumes of the new node may have been deleted before.
			volumes.lookAgain();
			return agent;
		},
		get: (name) => agents.get(name),
		async remove(name) {
			const agent = agents.get(name);
			agents.delete(name);
			await agent?.stop();
			if (agent !== undefined && options.leaseMs !== undefined) await shortenLease(options.client(name), clock, name);
		},
		async stop() {
			volumes.stop();
			const all = [...agents.values()];
			agents.clear();
			await Promise.all(all.map((agent) => agent.stop()));
			await logKeeper?.stop();
			references.close();
		},
	};
}
