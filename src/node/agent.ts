/** The agent of one node: registers it, runs its pods, serves logs and streams. */

import { dirname } from "node:path";
import type { Duplex } from "node:stream";
import { createEventRecorder } from "../client/events/recorder.ts";
import { parseQuantity } from "../core/quantity.ts";
import { plainWords } from "../core/text/plain-words.ts";
import type { Pod, Service } from "../kinds/generated/types.ts";
import { services } from "../kinds/networking/service.ts";
import { hostnameLabel, localVolumeNodeLabel } from "../kinds/storage/local-volume.ts";
import { persistentVolumes } from "../kinds/storage/persistentvolume.ts";
import { removeTree } from "../linux/no-links.ts";
import type { AgentOptions } from "./agent-options.ts";
import { type EventRecorder, kubeletEvents, noEvents } from "./context/event-recorder.ts";
import type { KubeletSettings } from "./context/kubelet-config.ts";
import { type KubeletConfiguration, usualKubeletConfiguration } from "./context/kubelet-configuration.ts";
import type { NodeContext, PodFiles } from "./context/node-context.ts";
import { NodeMetrics } from "./context/node-metrics.ts";
import { RuntimeView } from "./context/runtime-view.ts";
import { type Eviction, startEviction } from "./eviction/eviction.ts";
import { endedLogs } from "./history/ended-logs.ts";
import { type Heartbeat, startHeartbeat } from "./machine/heartbeat.ts";
import { machineFacts } from "./machine/machine-facts.ts";
import { MachineMeter } from "./machine/machine-usage.ts";
import { type NodeFacts, ownLabels } from "./machine/node-object.ts";
import { noPressure } from "./machine/pressure.ts";
import { NodePods } from "./node-pods.ts";
import { safeSysctlNames } from "./pod/sysctls.ts";
import { createProber } from "./probes/prober.ts";
import { WatchedReferences } from "./references.ts";
import { endPods } from "./shutdown/shutdown.ts";
import { StaticPods } from "./static/static-pods.ts";
import { type StorageMonitor, watchStorage } from "./storage/storage-monitor.ts";
import { createEndpoint } from "./streams/endpoint.ts";
import { makeContainerConfig } from "./sync/container-config.ts";
import { createFiles } from "./volumes/files.ts";
import { watchLocalVolumes } from "./volumes/local-volumes.ts";
import { viewPath } from "./volumes/view-path.ts";

export interface Agent {
	/** Serves the agent's HTTP endpoint on a connection. */
	connection(stream: Duplex): void;
	/** The pods the agent has, for its endpoint and tests. */
	pods(): Iterable<Pod>;
	/** Ends all pods because the node will stop, as the kubelet's configuration says. */
	shutDown(): Promise<void>;
	/** Resolves when the agent has released everything; containers keep running. */
	stop(): Promise<void>;
}

/** @throws ApiError when the node cannot be registered */
export async function startAgent(options: AgentOptions): Promise<Agent> {
	const agent = new RunningAgent(options);
	await agent.start();
	return agent;
}

class RunningAgent implements Agent {
	readonly #options: AgentOptions;
	readonly #context: NodeContext;
	readonly #references: WatchedReferences;
	readonly #pods: NodePods;
	readonly #abort = new AbortController();
	readonly #facts: NodeFacts;
	readonly #configuration: KubeletConfiguration;
	#heartbeat: Heartbeat | undefined;
	#endpoint: ((stream: Duplex) => void) | undefined;
	#meter: MachineMeter | undefined;
	#eviction: Eviction | undefined;
	#statics: StaticPods | undefined;
	#shuttingDown = false;
	readonly #maintenance: { stop(): void }[] = [];
	readonly #words: (error: unknown) => string;

	constructor(options: AgentOptions) {
		this.#options = options;
		const { client, clock, runtime, node } = options;
		// The node's view of the machine is in the directory of all of the node's files.
		const internal = options.directories === undefined ? [] : [dirname(options.directories.view)];
		this.#words = (error) => plainWords(error, internal);
		this.#configuration = options.configuration ?? usualKubeletConfiguration;
		const { maxPods, allowedUnsafeSysctls } = this.#configuration;
		const machine = machineFacts(node.name, maxPods, options.directories?.root);
		this.#facts = { ...machine, containerRuntimeVersion: runtime.version, ...node };
		const sysctls = [...safeSysctlNames(this.#facts.kernelVersion), ...allowedUnsafeSysctls];
		const changed = (uid: string) => this.#pods.wake(uid);
		this.#references = options.references ?? new WatchedReferences(client, clock);
		const allocatable = Object.entries(this.#facts.allocatable).map(([name, quantity]): [string, number] => [
			name,
			parseQuantity(quantity),
		]);
		const context: NodeContext = {
			client,
			clock,
			runtime,
			view: new RuntimeView(runtime, clock, changed, options.inMemory !== undefined),
			...(options.inMemory === undefined ? {} : { inMemory: options.inMemory }),
			...(options.network === undefined ? {} : { network: options.network }),
			node: {
				name: node.name,
				addresses: node.addresses,
				runtimeName: runtime.version.split("://")[0] ?? runtime.version,
				clusterDomain: options.clusterDomain ?? "cluster.local",
				...(options.clusterDns === undefined ? {} : { clusterDns: options.clusterDns }),
				allocatable: new Map(allocatable),
			},
			events: this.#events(),
			words: this.#words,
			references: this.#references,
			prober: options.prober ?? createProber(runtime),
			configuration: this.#configuration,
			services: (namespace) => this.#services(namespace),
			resizeWaits: () => this.#pods.retryResizes(),
			shortage: (pod) => this.#pods.shortage(pod),
			containerConfig: (pod, container, start) => makeContainerConfig(context, pod, container, start),
		};
		if (options.metrics !== undefined) context.metrics = new NodeMetrics(options.metrics, clock);
		if (options.logKeeper !== undefined) context.endedLogs = endedLogs(options.logKeeper, options.inMemory);
		const files = this.#files(context);
		if (files !== undefined) context.files = files;
		this.#context = context;
		this.#pods = new NodePods(context, sysctls);
	}

	async start(): Promise<void> {
		const { clock, client, network, runtime, pods, node } = this.#options;
		this.#options.informers?.of(services);
		const limitations = await runtime.limitations();
		const { signal } = this.#abort;
		const { leaseMs } = this.#options;
		const pressure = () => this.#eviction?.pressure ?? noPressure;
		const event = (reason: string, message: string) => this.#nodeEvent("Normal", reason, message);
		const becameReady = () => event("NodeReady", `Node ${node.name} status is now: NodeReady`);
		const facts = this.#facts;
		const isShuttingDown = () => this.#shuttingDown;
		const reports = { limitations, pressure, isShuttingDown, becameReady, images: runtime.images?.bind(runtime) };
		const heartbeat = await startHeartbeat({ client, clock, facts, ...reports, leaseMs, signal });
		this.#heartbeat = heartbeat;
		const storage = this.#boundStorage();
		await this.#context.view.start();
		const addressesBefore = (await network?.attached()) ?? new Map();
		this.#pods.begin({ heartbeat, storage, pressure, addressesBefore });
		const statics = this.#staticPods(heartbeat.node.metadata.uid);
		this.#statics = statics;
		await pods.subscribe(node.name, (current, last) => {
			this.#pods.changed(current, last);
			statics?.changed(current, last);
		});
		statics?.begin();
		this.#pods.endOrphans();
		this.#measureMachine();
		this.#removeLocalVolumes();
		event("Starting", "Starting kubelet.");
	}

	connection(stream: Duplex): void {
		const { signal } = this.#abort;
		if (signal.aborted) {
			stream.destroy();
			return;
		}
		// Created on demand: most simulated nodes never receive a request for a log.
		this.#endpoint ??= createEndpoint({
			context: this.#context,
			pods: () => this.pods(),
			settings: this.#settings(),
			meter: this.#meter,
			logs: this.#options.directories,
			signal,
		});
		this.#endpoint(stream);
	}

	pods(): Iterable<Pod> {
		return this.#pods;
	}

	async shutDown(): Promise<void> {
		if (this.#configuration.shutdownGraceMs === 0) return;
		this.#shuttingDown = true;
		this.#pods.refuseAll();
		this.#statics?.stop();
		await this.#heartbeat?.statusChanged().catch(() => {});
		await endPods(this.#pods.workers(), this.#configuration, this.#options.clock);
	}

	async stop(): Promise<void> {
		this.#abort.abort(new Error("the agent stops"));
		this.#options.pods.unsubscribe(this.#options.node.name);
		this.#heartbeat?.stop();
		for (const task of this.#maintenance) task.stop();
		this.#context.view.close();
		this.#pods.close();
		// The node's workers have released what they share with other nodes.
		if (this.#options.references === undefined) this.#references.close();
		await this.#context.events.flush();
	}

	#staticPods(uid: string): StaticPods | undefined {
		const { client, clock, manifests: directory, node } = this.#options;
		if (directory === undefined) return undefined;
		const problem = (message: string) => this.#nodeEvent("Warning", "InvalidManifest", message);
		const statics = new StaticPods({ client, clock, directory, node: { name: node.name, uid }, problem });
		this.#maintenance.push(statics);
		return statics;
	}

	/** Removes the directories of deleted volumes of this node. */
	#removeLocalVolumes(): void {
		const { client, clock, informers, directories } = this.#options;
		if (directories === undefined || informers === undefined) return;
		const hostname = ownLabels(this.#facts)[hostnameLabel] ?? this.#facts.name;
		const remove = async (path: string) => removeTree(await viewPath(directories.view, path));
		// A node may not read the volumes of other nodes.
		const labelSelector = `${localVolumeNodeLabel}=${this.#facts.name}`;
		const volumes = informers.of(persistentVolumes, { labelSelector });
		this.#maintenance.push(
			watchLocalVolumes({ client: () => client, clock, volumes, isOwn: (name) => name === hostname, remove }),
		);
	}

	#measureMachine(): void {
		const { clock, directories, runtime, imageDirectory } = this.#options;
		if (directories === undefined) return;
		const meter = new MachineMeter(clock, directories.view, imageDirectory);
		this.#meter = meter;
		this.#eviction = startEviction({
			clock,
			runtime,
			directories,
			view: this.#context.view,
			read: () => meter.read(),
			rules: this.#configuration,
			pods: () => this.#pods.workers(),
			reclaimDisk: async () => runtime.removeUnusedImages?.(),
			// The next heartbeat retries.
			changed: () => void this.#heartbeat?.statusChanged().catch(() => {}),
			warn: (reason, message) => this.#nodeEvent("Warning", reason, message),
		});
		this.#maintenance.push(meter, this.#eviction);
	}

	#boundStorage(): StorageMonitor | undefined {
		const { clock, runtime, directories } = this.#options;
		if (directories === undefined || !this.#configuration.localStorageCapacityIsolation) return undefined;
		const { view } = this.#context;
		const storage = watchStorage({ clock, runtime, view, directories, pods: () => this.#pods.workers() });
		this.#maintenance.push(storage);
		return storage;
	}

	#events(): EventRecorder {
		const { client, clock, node, events } = this.#options;
		if (events === false) return noEvents;
		return kubeletEvents(createEventRecorder(client, { clock }), node.name, this.#words);
	}

	#settings(): KubeletSettings {
		const { node, clusterDns, leaseMs } = this.#options;
		const { clusterDomain, allocatable } = this.#context.node;
		return {
			configuration: this.#configuration,
			clusterDomain,
			clusterDns,
			podCidr: node.podCidr,
			mostPods: allocatable.get("pods") ?? 0,
			leaseMs,
		};
	}

	#services(namespace: string): Iterable<Service> {
		return this.#options.informers?.of(services).list(namespace) ?? [];
	}

	#files(context: NodeContext): PodFiles | undefined {
		const { directories, resolvConf } = this.#options;
		if (directories === undefined) return undefined;
		const { files, maintenance } = createFiles(
			context,
			{ ...directories, ...(resolvConf === undefined ? {} : { resolvConf }) },
			this.#configuration,
		);
		this.#maintenance.push(maintenance);
		return files;
	}

	#nodeEvent(type: "Normal" | "Warning", reason: string, message: string): void {
		const { name } = this.#options.node;
		// The reference that upstream's kubelet uses in Events about its node.
		this.#context.events.record({ kind: "Node", name, uid: name }, type, reason, message);
	}
}
