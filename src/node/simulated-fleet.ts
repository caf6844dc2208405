/**
 * Many simulated nodes in one process: they share a client, an informer cache and a clock; a node without work costs
 * its heartbeat.
 */
import type { Client } from "../client/client.ts";
import type { InformerCache } from "../client/informer-cache.ts";
import type { Clock } from "../core/clock.ts";
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
	/** Writes as the node. */
	client(nodeName: string): Client;
	/** Watches the ConfigMaps and Secrets that the pods of all nodes name. */
	reader: Client;
	/** Has pods, services and volumes. */
	informers: InformerCache;
	clock: Clock;
	/** Makes what is below one node. */
	runtime(nodeName: string): SimulatedRuntime;
	network?(node: FleetNode): NodeNetwork;
	/** False: pods' Events are not written, which halves the writes of a pod. Default true. */
	events?: boolean | undefined;
	/**
	 * How long the nodes' Leases promise that they live; default 40 s. In virtual time a day spares a cluster most of its
	 * writes; a node that is removed takes the promise back.
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
	/** The node's agent stops, as a machine that lost its power: nothing is cleaned up in the API. */
	remove(name: string): Promise<void>;
	stop(): Promise<void>;
}

/** The default capacity of a simulated node: room for many pods. */
export const plenty: Readonly<Record<string, string>> = {
	cpu: "32",
	memory: "256Gi",
	"ephemeral-storage": "1Ti",
	pods: "500",
};

/** A simulated container is as healthy as its script says: while it runs, its probes succeed. */
export const succeedingProber: Prober = async () => ({ ok: true });

export function startSimulatedFleet(options: FleetOptions): Fleet {
	const { reader, informers, clock } = options;
	const source: PodSource = sharedPodSource(informers);
	const references = new WatchedReferences(reader, clock);
	const agents = new Map<string, Agent>();
	// One for all: what ends at the same time on many nodes is brought together.
	const logKeeper = options.keepLogs && new LogKeeper({ clock, deliver: options.keepLogs });
	// Simulated volumes have no directories; they are let go all the same.
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
			// Those of the new node that were deleted before.
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
