/** A complete cluster inside a program: for tests of manifests, operators and clients. */

import { auditPolicy } from "../../api/audit/policy.ts";
import { jwtAuthenticators } from "../../api/credentials/oidc/configuration.ts";
import type { Client, Ref } from "../../client/client.ts";
import { establishDefinitions } from "../../client/definitions.ts";
import { waitFor, waitForList } from "../../client/wait.ts";
import { isReason } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import { systemClock } from "../../core/time/clock.ts";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { customResourceDefinitions } from "../../kinds/apiextensions/customresourcedefinition.ts";
import { isNodeReady, nodes } from "../../kinds/core/node.ts";
import { serviceAccounts } from "../../kinds/core/serviceaccount.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { CustomResourceDefinition } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { createMemoryStore } from "../../store/memory.ts";
import type { Store } from "../../store/store.ts";
import { Assembly, type PartLoaders } from "../assembly/assembly.ts";
import { type ControlPlane, startControlPlane } from "../control-plane/control-plane.ts";
import { administrator, namedUser } from "../control-plane/identities.ts";
import { holdTimeForWrites } from "../data/held-store.ts";
import { type DefinitionDraft, readDefinitions } from "../files/definition-files.ts";
import { createSimulatedNodes } from "../nodes/simulated-nodes.ts";
import { type ClusterNetwork, defaultNetwork, simulatedNetwork } from "../settings/cluster-network.ts";
import type { Access } from "./access.ts";
import type { Cluster, LogOptions, WaitForOptions } from "./cluster.ts";
import { type Condition, conditionOf, refOf, type Target } from "./conditions.ts";
import { type ApplyOptions, applyManifest, type Manifest, manifestRefs, nameOf } from "./manifests.ts";
import { type ClusterNodes, EmbeddedNodes } from "./nodes.ts";
import { type ClusterOptions, checkOptions, type NodeOptions, type OnlyKnown, type TimeOf } from "./options.ts";
import { type ClusterTime, systemTiming, type Timing, toMs, virtualTiming } from "./time.ts";

/** Loaded with the library: the start of a cluster, often inside a test, does not wait for it. */
const load: PartLoaders = {
	controlPlane: async () => startControlPlane,
	simulatedNodes: async () => createSimulatedNodes,
};
const startLimitMs = 60_000;
const defaultTimeout = "60s";

/**
 * Starts a cluster in this process. Resolves when its nodes are Ready and pods can be created.
 * @throws Error that describes the invalid option, or what the machine lacks
 */
export async function startCluster<const Options extends ClusterOptions = Record<never, never>>(
	options?: Options & ClusterOptions & OnlyKnown<Options>,
): Promise<Cluster<TimeOf<Options>>> {
	checkOptions(options ?? {});
	const cluster = new EmbeddedCluster(options ?? {});
	await cluster.start();
	// TimeOf derives the type of the clock from the options.
	return cluster as unknown as Cluster<TimeOf<Options>>;
}

class EmbeddedCluster implements Cluster {
	readonly #options: ClusterOptions;
	readonly #timing: Timing;
	readonly #network: ClusterNetwork;
	readonly #assembly: Assembly;
	#parts: { controlPlane: ControlPlane; client: Client; nodes: EmbeddedNodes } | undefined;
	#access: Promise<Access> | undefined;
	#stopped: Promise<void> | undefined;

	constructor(options: ClusterOptions) {
		if (options.clock === "virtual" && options.runtime === "process")
			throw new Error('clock: "virtual" needs runtime: "simulated": real processes run in real time');
		this.#options = options;
		this.#timing = options.clock === "virtual" ? virtualTiming(options) : systemTiming();
		const { runtime = "simulated", podEvents = true } = options;
		const usual = runtime === "simulated" ? simulatedNetwork : defaultNetwork;
		const { clusterCidr = usual.clusterCidr, serviceCidr = usual.serviceCidr } = options;
		this.#network = { clusterCidr, serviceCidr };
		this.#assembly = new Assembly({ load, runtime, clock: this.#timing.clock, network: this.#network, podEvents });
	}

	get client(): Client {
		return this.#running.client;
	}

	clientAs({ user, groups = [] }: { user: string; groups?: readonly string[] }): Client {
		if (user === "") throw new Error("a user needs a name");
		return this.#running.controlPlane.client(namedUser(user, groups), { copies: true }).as("coxswain");
	}

	get clock(): ClusterTime {
		return this.#timing.time;
	}

	get nodes(): ClusterNodes {
		return this.#running.nodes;
	}

	get #running() {
		if (this.#stopped !== undefined || this.#parts === undefined) throw new Error("the cluster has been stopped");
		return this.#parts;
	}

	async start(): Promise<void> {
		try {
			await this.#start();
		} catch (error) {
			await this.stop();
			throw error;
		}
	}

	async #start(): Promise<void> {
		const { runtime = "simulated", listen = false } = this.#options;
		const definitions = readDefinitions(this.#options.crds ?? []);
		const store = await openStore(this.#options.store ?? "memory", this.#timing);
		this.#assembly.atEnd(() => store.close());
		const starting = this.#assembly.startControlPlane({
			store,
			admissionPlugins: this.#options.admissionPlugins ?? [],
			webhooks: this.#options.webhooks ?? [],
			oidc: this.#options.oidc === undefined ? [] : jwtAuthenticators(this.#options.oidc),
			audit: this.#options.audit && { ...this.#options.audit, policy: auditPolicy(this.#options.audit.policy) },
			history: this.#options.history,
			notify: this.#options.notify,
			onError: this.#options.onError,
		});
		await this.#inTime(starting, "the control plane");
		const controlPlane = await starting;
		const client = controlPlane.client(administrator, { copies: true }).as("coxswain");
		this.#assembly.atEnd(() => client.close());
		if (listen !== false || runtime === "process") await this.#open(controlPlane, listen === true ? 0 : Number(listen));
		const pool = await this.#assembly.createPool(
			() => starting,
			() => this.#nodeSockets(controlPlane),
		);
		const embedded = new EmbeddedNodes({
			client,
			pool,
			runtime,
			clusterCidr: this.#network.clusterCidr,
			ready: (name) => this.waitFor(nodes, { name }, isNodeReady),
		});
		this.#parts = { controlPlane, client, nodes: embedded };
		await this.#establish(definitions);
		await this.#startNodes(nodeList(this.#options.nodes ?? 1));
	}

	async #establish(definitions: readonly DefinitionDraft[]): Promise<void> {
		if (definitions.length === 0) return;
		const abort = new AbortController();
		this.#assembly.atEnd(async () => abort.abort());
		await this.#inTime(establishDefinitions(this.#running.client, definitions, abort), "custom resources");
	}

	async #startNodes(wanted: readonly NodeOptions[]): Promise<void> {
		const { nodes: embedded } = this.#running;
		await this.#inTime(Promise.all(wanted.map((node) => embedded.start(node))), "nodes");
		const names = new Set(embedded.names);
		await this.waitForList(
			nodes,
			{},
			(list) => list.filter((node) => names.has(node.metadata.name) && isNodeReady(node)).length === names.size,
		);
		await this.waitFor(serviceAccounts, "default", "exists");
	}

	async #nodeSockets(controlPlane: ControlPlane) {
		const access = await this.#open(controlPlane, 0);
		const { openNodeSockets } = await import("./process-nodes.ts");
		const { layout, close } = await openNodeSockets(controlPlane.api, access);
		this.#assembly.atEnd(close);
		return { layout, clock: systemClock() };
	}

	#open(controlPlane: ControlPlane, port: number): Promise<Access> {
		this.#access ??= import("./access.ts").then(async ({ openAccess }) => {
			const access = await openAccess(controlPlane.api, port, this.#network);
			this.#assembly.atEnd(() => access.close());
			controlPlane.publishAuthority(access.certificates.authority);
			return access;
		});
		return this.#access;
	}

	async kubeconfig(): Promise<string> {
		return (await this.#open(this.#running.controlPlane, 0)).kubeconfig;
	}

	async kubeconfigPath(): Promise<string> {
		return (await this.#open(this.#running.controlPlane, 0)).kubeconfigPath;
	}

	apply(manifest: Manifest, options?: ApplyOptions): Promise<KubeObject[]> {
		const { client, controlPlane } = this.#running;
		const isSettled = ({ status }: CustomResourceDefinition) => (status?.conditions ?? []).length > 0;
		const settled = (name: string) => this.waitFor(customResourceDefinitions, name, isSettled);
		return applyManifest(client, controlPlane.api.registry, manifest, { ...options, settled });
	}

	async delete(manifest: Manifest, options: { namespace?: string } & WaitForOptions = {}): Promise<void> {
		const { client, controlPlane } = this.#running;
		const refs = manifestRefs(controlPlane.api.registry, manifest, options.namespace).reverse();
		for (const ref of refs) {
			try {
				await client.delete(ref.kind, ref, { propagationPolicy: "Background" });
			} catch (error) {
				if (!isReason(error, "NotFound")) throw error;
			}
		}
		for (const ref of refs) await this.waitFor(ref.kind, ref, "deleted", options);
	}

	waitFor<T extends KubeObject>(
		kind: Kind<T>,
		target: Target,
		condition: "deleted",
		options?: WaitForOptions,
	): Promise<undefined>;
	waitFor<T extends KubeObject>(
		kind: Kind<T>,
		target: Target,
		condition: Condition<T>,
		options?: WaitForOptions,
	): Promise<T>;
	async waitFor<T extends KubeObject>(
		kind: Kind<T>,
		target: Target,
		condition: Condition<T>,
		options?: WaitForOptions,
	): Promise<T | undefined> {
		const ref = refOf(kind, target);
		const what = `${nameOf(kind, ref)} (${typeof condition === "string" ? condition : "condition"})`;
		const holds = conditionOf<T>(condition);
		const { client } = this.#running;
		return this.#waiting(
			what,
			options,
			(signal) => waitFor(client, kind, ref, holds, { signal }),
			() => client.get(kind, ref),
		);
	}

	waitForList<T extends KubeObject>(
		kind: Kind<T>,
		selection: { namespace?: string; labelSelector?: string; fieldSelector?: string },
		condition: (objects: readonly T[]) => boolean,
		options?: WaitForOptions,
	): Promise<readonly T[]> {
		const { client } = this.#running;
		const wait = (signal: AbortSignal) => waitForList(client, kind, selection, condition, { signal });
		return this.#waiting(kind.plural, options, wait, async () => (await client.list(kind, selection)).items);
	}

	async #waiting<T>(
		what: string,
		options: WaitForOptions | undefined,
		wait: (signal: AbortSignal) => Promise<T>,
		look: () => Promise<unknown>,
	): Promise<T> {
		const timeout = options?.timeout ?? defaultTimeout;
		const abort = new AbortController();
		const waiting = wait(abort.signal);
		if (await this.#timing.wait(waiting, toMs(timeout))) return waiting;
		waiting.catch(() => {});
		abort.abort();
		const found = await look().catch((error: unknown) => String(error));
		throw new Error(`waited ${timeout} for ${what}; its current state is ${JSON.stringify(found, undefined, 2)}`);
	}

	async #inTime(promise: Promise<unknown>, what: string): Promise<void> {
		if (!(await this.#timing.wait(promise, startLimitMs))) throw new Error(`${what} did not start within a minute`);
	}

	async logs(pod: Target, options: LogOptions = {}): Promise<string> {
		const { namespace = "default", name } = refOf(pods, pod);
		const query = new URLSearchParams();
		for (const [option, value] of Object.entries(options)) if (value !== undefined) query.set(option, String(value));
		const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/log`;
		return String(await this.#running.client.raw("GET", query.size === 0 ? path : `${path}?${query}`));
	}

	stop(): Promise<void> {
		this.#stopped ??= this.#stop();
		return this.#stopped;
	}

	async #stop(): Promise<void> {
		await this.#access?.catch(() => {});
		const closing = this.#assembly.stop();
		await this.#timing.wait(closing, startLimitMs);
		this.#timing.stop();
		const [failure] = await closing;
		if (failure !== undefined) throw failure;
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.stop();
	}
}

async function openStore(wanted: "memory" | { folder: string }, { clock }: Timing): Promise<Store> {
	if (wanted === "memory") return createMemoryStore();
	const { openLmdbStore } = await import("../../store/lmdb.ts");
	const store = openLmdbStore(wanted);
	return clock instanceof VirtualClock ? holdTimeForWrites(store, clock) : store;
}

function nodeList(wanted: number | readonly NodeOptions[]): readonly NodeOptions[] {
	return typeof wanted === "number" ? Array.from({ length: wanted }, () => ({})) : wanted;
}

export type { Cluster, LogOptions, WaitForOptions } from "./cluster.ts";
export type { Duration, SystemTime, VirtualTime } from "./time.ts";
export type { ApplyOptions, ClusterNodes, ClusterOptions, ClusterTime, Condition, Manifest, NodeOptions, Ref, Target };
