/** A complete cluster inside a program: for tests of manifests, operators and clients. */

import type { Client, Ref } from "../../client/client.ts";
import { establishDefinitions } from "../../client/definitions.ts";
import type { ConnectionFaults } from "../../client/faults.ts";
import { createClient } from "../../client/requests.ts";
import { memoryTransport } from "../../client/transports/memory.ts";
import type { Handler, User } from "../../core/exchange.ts";
import { isNodeReady, nodes as nodeKind } from "../../kinds/core/node.ts";
import { serviceAccounts } from "../../kinds/core/serviceaccount.ts";
import type { Registry } from "../../kinds/engine/registry.ts";
import { createMemoryStore } from "../../store/memory.ts";
import type { Store } from "../../store/store.ts";
import type { ControlPlane } from "../control-plane/control-plane.ts";
import { administrator, namedUser } from "../control-plane/identities.ts";
import { type DefinitionDraft, readDefinitions } from "../files/definition-files.ts";
import { type ClusterNetwork, defaultNetwork, simulatedNetwork } from "../settings/cluster-network.ts";
import type { Access } from "./access.ts";
import type { Cluster } from "./cluster.ts";
import { ClusterObjects } from "./cluster-objects.ts";
import type { Condition, Target } from "./conditions.ts";
import { Door } from "./door.ts";
import { openStore, signingKey } from "./lasting.ts";
import { Life } from "./life.ts";
import type { ApplyOptions, Manifest } from "./manifests.ts";
import type { ClusterSnapshot, Moment } from "./moment.ts";
import type { ClusterNodes, EmbeddedNodes } from "./nodes.ts";
import { type ClusterOptions, checkOptions, type NodeOptions, type OnlyKnown, type TimeOf } from "./options.ts";
import { type ClusterTime, systemTiming, virtualTiming } from "./time.ts";

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

class EmbeddedCluster extends ClusterObjects implements Cluster {
	readonly #options: ClusterOptions;
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
		super(options.clock === "virtual" ? virtualTiming(options) : systemTiming());
		this.#options = options;
		const usual = (options.runtime ?? "simulated") === "simulated" ? simulatedNetwork : defaultNetwork;
		const { clusterCidr = usual.clusterCidr, serviceCidr = usual.serviceCidr } = options;
		this.#network = { clusterCidr, serviceCidr };
		this.#door = new Door(options.faults ?? {}, () => this.timing.clock);
		this.#client = this.#clientOf(this.#door.inside, administrator);
	}

	#clientOf(handler: Handler, user: User, copies = true): Client {
		const transport = memoryTransport(handler, user);
		return createClient(transport, { userAgent: "coxswain", clock: this.timing.clock, copies });
	}

	override get client(): Client {
		this.#check();
		return this.#client;
	}

	clientAs({ user, groups = [] }: { user: string; groups?: readonly string[] }): Client {
		if (user === "") throw new Error("a user needs a name");
		this.#check();
		return this.#clientOf(this.#door.outside, namedUser(user, groups));
	}

	protected override get registry(): Registry {
		return this.#check().controlPlane.api.registry;
	}

	get clock(): ClusterTime {
		return this.timing.time;
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
			const { nodes: embedded } = await this.#begin(await openStore(this.#options.store ?? "memory", this.timing));
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
			timing: this.timing,
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
		const snapshot: ClusterSnapshot = { atMs: this.timing.clock.now() };
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
		// Definitions are large, and nobody changes what is answered here.
		const client = this.#clientOf(this.#door.inside, administrator, false);
		try {
			await this.#inTime(establishDefinitions(client, definitions, abort), "custom resources");
		} finally {
			await client.close();
		}
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

	async #inTime(promise: Promise<unknown>, what: string): Promise<void> {
		if (!(await this.timing.wait(promise, startLimitMs))) throw new Error(`${what} did not start within a minute`);
	}

	stop(): Promise<void> {
		this.#stopped ??= this.#stop();
		return this.#stopped;
	}

	async #stop(): Promise<void> {
		await this.#access?.catch(() => {});
		if (this.#life !== undefined) await this.#end(this.#life);
		await this.#client.close();
		this.timing.stop();
	}

	async #end(life: Life): Promise<void> {
		const closing = life.stop();
		await this.timing.wait(closing, startLimitMs);
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
