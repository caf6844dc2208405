/** A complete cluster inside a program: for tests of manifests, operators and clients. */

import type { Client, Ref } from "../../client/client.ts";
import { establishDefinitions } from "../../client/definitions.ts";
import type { ConnectionFaults } from "../../client/faults.ts";
import { createClient } from "../../client/requests.ts";
import { memoryTransport } from "../../client/transport-memory.ts";
import { waitFor, waitForList } from "../../client/wait.ts";
import { isReason } from "../../core/errors.ts";
import type { Handler, User } from "../../core/exchange.ts";
import type { KubeObject } from "../../core/object.ts";
import { customResourceDefinitions } from "../../kinds/apiextensions/customresourcedefinition.ts";
import { isNodeReady, nodes as nodeKind } from "../../kinds/core/node.ts";
import { serviceAccounts } from "../../kinds/core/serviceaccount.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { CustomResourceDefinition } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { createMemoryStore } from "../../store/memory.ts";
import type { Store } from "../../store/store.ts";
import type { ControlPlane } from "../control-plane/control-plane.ts";
import { administrator, namedUser } from "../control-plane/identities.ts";
import { type DefinitionDraft, readDefinitions } from "../files/definition-files.ts";
import { type ClusterNetwork, defaultNetwork, simulatedNetwork } from "../settings/cluster-network.ts";
import type { Access } from "./access.ts";
import type { Cluster, LogOptions, WaitForOptions } from "./cluster.ts";
import { type Condition, conditionOf, refOf, type Target } from "./conditions.ts";
import { Door } from "./door.ts";
import { openStore, signingKey } from "./lasting.ts";
import { Life } from "./life.ts";
import { type ApplyOptions, applyManifest, type Manifest, manifestRefs, nameOf } from "./manifests.ts";
import type { ClusterSnapshot, Moment } from "./moment.ts";
import type { ClusterNodes, EmbeddedNodes } from "./nodes.ts";
import { type ClusterOptions, checkOptions, type NodeOptions, type OnlyKnown, type TimeOf } from "./options.ts";
import { type ClusterTime, systemTiming, type Timing, virtualTiming, waitWithin } from "./time.ts";

const startLimitMs = 60_000;

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

interface Running {
	life: Life;
	controlPlane: ControlPlane;
	nodes: EmbeddedNodes;
}

class EmbeddedCluster implements Cluster {
	readonly #options: ClusterOptions;
	readonly #timing: Timing;
	readonly #network: ClusterNetwork;
	readonly #door: Door;
	readonly #client: Client;
	readonly #serviceAccountKey = signingKey();
	readonly #moments = new WeakMap<ClusterSnapshot, Moment>();
	#life: Life | undefined;
	/** Undefined until it has started. */
	#running: Running | undefined;
	#access: Promise<Access> | undefined;
	#isRewinding = false;
	#stopped: Promise<void> | undefined;

	constructor(options: ClusterOptions) {
		if (options.clock === "virtual" && options.runtime === "process")
			throw new Error('clock: "virtual" needs runtime: "simulated": real processes run in real time');
		this.#options = options;
		this.#timing = options.clock === "virtual" ? virtualTiming(options) : systemTiming();
		const usual = (options.runtime ?? "simulated") === "simulated" ? simulatedNetwork : defaultNetwork;
		const { clusterCidr = usual.clusterCidr, serviceCidr = usual.serviceCidr } = options;
		this.#network = { clusterCidr, serviceCidr };
		this.#door = new Door(options.faults ?? {}, () => this.#timing.clock);
		this.#client = this.#clientOf(this.#door.inside, administrator);
	}

	#clientOf(handler: Handler, user: User): Client {
		const transport = memoryTransport(handler, user);
		return createClient(transport, { userAgent: "coxswain", clock: this.#timing.clock, copies: true });
	}

	get client(): Client {
		this.#check();
		return this.#client;
	}

	clientAs({ user, groups = [] }: { user: string; groups?: readonly string[] }): Client {
		if (user === "") throw new Error("a user needs a name");
		this.#check();
		return this.#clientOf(this.#door.outside, namedUser(user, groups));
	}

	get clock(): ClusterTime {
		return this.#timing.time;
	}

	get faults(): ConnectionFaults {
		return this.#door.faults;
	}

	get nodes(): ClusterNodes {
		return this.#check().nodes;
	}

	#check(): Running {
		if (this.#stopped !== undefined || this.#running === undefined) throw new Error("the cluster has been stopped");
		return this.#running;
	}

	async start(): Promise<void> {
		try {
			const definitions = readDefinitions(this.#options.crds ?? []);
			const { nodes: embedded } = await this.#begin(await openStore(this.#options.store ?? "memory", this.#timing));
			await this.#establish(definitions);
			const wanted = nodeList(this.#options.nodes ?? 1);
			await this.#inTime(Promise.all(wanted.map((node) => embedded.start(node))), "nodes");
			await this.#untilReady(embedded);
		} catch (error) {
			await this.stop();
			throw error;
		}
	}

	async #begin(store: Store, moment?: Moment): Promise<Running> {
		const { runtime = "simulated", listen = false } = this.#options;
		const life = new Life({
			options: this.#options,
			timing: this.#timing,
			network: this.#network,
			store,
			serviceAccountKey: this.#serviceAccountKey,
			moment,
		});
		this.#life = life;
		const starting = life.startControlPlane();
		await this.#inTime(starting, "the control plane");
		const controlPlane = await starting;
		this.#door.open(controlPlane.api);
		if (this.#access !== undefined) this.#lend(life, controlPlane, await this.#access);
		else if (listen !== false || runtime === "process")
			await this.#open(life, controlPlane, listen === true ? 0 : Number(listen));
		const nodes = await life.createNodes({
			controlPlane,
			client: this.#client,
			access: () => this.#open(life, controlPlane, 0),
			ready: (name) => this.waitFor(nodeKind, { name }, isNodeReady),
		});
		this.#running = { life, controlPlane, nodes };
		return this.#running;
	}

	async #untilReady(embedded: EmbeddedNodes): Promise<void> {
		const names = new Set(embedded.names);
		await this.waitForList(
			nodeKind,
			{},
			(list) => list.filter((node) => names.has(node.metadata.name) && isNodeReady(node)).length === names.size,
		);
		await this.waitFor(serviceAccounts, "default", "exists");
	}

	async snapshot(): Promise<ClusterSnapshot> {
		const { life, nodes } = this.#check();
		const snapshot: ClusterSnapshot = { atMs: this.#timing.clock.now() };
		this.#moments.set(snapshot, await life.remember(nodes));
		return snapshot;
	}

	async rewind(snapshot: ClusterSnapshot): Promise<void> {
		const { life, controlPlane } = this.#check();
		const moment = this.#moments.get(snapshot);
		if (moment === undefined) throw new Error("the snapshot is not one of this cluster");
		if (this.#isRewinding) throw new Error("the cluster is being rewound already");
		this.#isRewinding = true;
		try {
			const revision = await controlPlane.client(administrator).revision();
			this.#door.shut();
			await this.#end(life);
			moment.turnBack();
			const { entries, revision: then } = moment.contents;
			// Clients that have seen later revisions must not take them for these.
			const contents = { entries, revision: Math.max(revision, then) + 1 };
			const { nodes } = await this.#begin(createMemoryStore({ contents }), moment);
			await this.#inTime(nodes.resume(), "nodes");
		} finally {
			this.#isRewinding = false;
		}
	}

	async #establish(definitions: readonly DefinitionDraft[]): Promise<void> {
		if (definitions.length === 0) return;
		const abort = new AbortController();
		this.#life?.atEnd(async () => abort.abort());
		await this.#inTime(establishDefinitions(this.client, definitions, abort), "custom resources");
	}

	#open(life: Life, controlPlane: ControlPlane, port: number): Promise<Access> {
		this.#access ??= import("./access.ts").then(async ({ openAccess }) => {
			const access = await openAccess(this.#door.api, port, this.#network);
			this.#lend(life, controlPlane, access);
			return access;
		});
		return this.#access;
	}

	/** The port outlives a rewind. */
	#lend(life: Life, controlPlane: ControlPlane, access: Access): void {
		life.atEnd(async () => this.#isRewinding || access.close());
		controlPlane.publishAuthority(access.certificates.authority);
	}

	async kubeconfig(): Promise<string> {
		const { life, controlPlane } = this.#check();
		return (await this.#open(life, controlPlane, 0)).kubeconfig;
	}

	async kubeconfigPath(): Promise<string> {
		const { life, controlPlane } = this.#check();
		return (await this.#open(life, controlPlane, 0)).kubeconfigPath;
	}

	apply(manifest: Manifest, options?: ApplyOptions): Promise<KubeObject[]> {
		const { client } = this;
		const { registry } = this.#check().controlPlane.api;
		const isSettled = ({ status }: CustomResourceDefinition) => (status?.conditions ?? []).length > 0;
		const settled = (name: string) => this.waitFor(customResourceDefinitions, name, isSettled);
		return applyManifest(client, registry, manifest, { ...options, settled });
	}

	async delete(manifest: Manifest, options: { namespace?: string } & WaitForOptions = {}): Promise<void> {
		const { client } = this;
		const { registry } = this.#check().controlPlane.api;
		const refs = manifestRefs(registry, manifest, options.namespace).reverse();
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
		const { client } = this;
		return waitWithin(
			this.#timing,
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
		const { client } = this;
		const wait = (signal: AbortSignal) => waitForList(client, kind, selection, condition, { signal });
		return waitWithin(this.#timing, kind.plural, options, wait, async () => (await client.list(kind, selection)).items);
	}

	async #inTime(promise: Promise<unknown>, what: string): Promise<void> {
		if (!(await this.#timing.wait(promise, startLimitMs))) throw new Error(`${what} did not start within a minute`);
	}

	async logs(pod: Target, options: LogOptions = {}): Promise<string> {
		const { namespace = "default", name } = refOf(pods, pod);
		const query = new URLSearchParams();
		for (const [option, value] of Object.entries(options)) if (value !== undefined) query.set(option, String(value));
		const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/log`;
		return String(await this.client.raw("GET", query.size === 0 ? path : `${path}?${query}`));
	}

	stop(): Promise<void> {
		this.#stopped ??= this.#stop();
		return this.#stopped;
	}

	async #stop(): Promise<void> {
		await this.#access?.catch(() => {});
		if (this.#life !== undefined) await this.#end(this.#life);
		await this.#client.close();
		this.#timing.stop();
	}

	async #end(life: Life): Promise<void> {
		const closing = life.stop();
		await this.#timing.wait(closing, startLimitMs);
		const [failure] = await closing;
		if (failure !== undefined) throw failure;
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.stop();
	}
}

function nodeList(wanted: number | readonly NodeOptions[]): readonly NodeOptions[] {
	return typeof wanted === "number" ? Array.from({ length: wanted }, () => ({})) : wanted;
}

export type { Cluster, LogOptions, WaitForOptions } from "./cluster.ts";
export { refOf } from "./conditions.ts";
export { nameOf } from "./manifests.ts";
export type { Duration, SystemTime, VirtualTime } from "./time.ts";
export type { ClusterWrite } from "./writes.ts";
export type {
	ApplyOptions,
	ClusterNodes,
	ClusterOptions,
	ClusterSnapshot,
	ClusterTime,
	Condition,
	Manifest,
	NodeOptions,
	Ref,
	Target,
};
