/** One life of an embedded cluster: a control plane and nodes, from a start, or a rewind, to the next. */
import { auditPolicy } from "../../api/audit/policy.ts";
import { jwtAuthenticators } from "../../api/credentials/oidc/configuration.ts";
import type { Client } from "../../client/client.ts";
import { systemClock } from "../../core/time/clock.ts";
import type { Node } from "../../kinds/generated/types.ts";
import type { Store } from "../../store/store.ts";
import { Assembly, type PartLoaders } from "../assembly/assembly.ts";
import { type ControlPlane, startControlPlane } from "../control-plane/control-plane.ts";
import type { NodePool } from "../nodes/node-pool.ts";
import { createSimulatedNodes } from "../nodes/simulated-nodes.ts";
import type { ClusterNetwork } from "../settings/cluster-network.ts";
import type { Access } from "./access.ts";
import type { Moment } from "./moment.ts";
import { EmbeddedNodes } from "./nodes.ts";
import type { ClusterOptions } from "./options.ts";
import type { Timing } from "./time.ts";
import { WriteLog } from "./writes.ts";

/** Loaded with the library: the start of a cluster, often inside a test, does not wait for it. */
const load: PartLoaders = {
	controlPlane: async () => startControlPlane,
	simulatedNodes: async () => createSimulatedNodes,
};

export interface LifeParts {
	options: ClusterOptions;
	timing: Timing;
	network: ClusterNetwork;
	/** Closed at the end. */
	store: Store;
	serviceAccountKey: string;
	/** What it goes on from. */
	moment?: Moment | undefined;
}

export class Life {
	readonly #parts: LifeParts;
	readonly #assembly: Assembly;
	#pool: NodePool | undefined;

	constructor(parts: LifeParts) {
		this.#parts = parts;
		const { options, timing, network, store, moment } = parts;
		const { runtime = "simulated", podEvents = true } = options;
		const { clock } = timing;
		this.#assembly = new Assembly({ load, runtime, clock, network, podEvents, savedNodes: moment?.running });
		this.#assembly.atEnd(() => store.close());
	}

	async startControlPlane(): Promise<ControlPlane> {
		const { options, store, serviceAccountKey } = this.#parts;
		const { onWrite } = options;
		return this.#assembly.startControlPlane({
			store,
			serviceAccountKey,
			admissionPlugins: options.admissionPlugins ?? [],
			webhooks: options.webhooks ?? [],
			oidc: options.oidc === undefined ? [] : jwtAuthenticators(options.oidc),
			audit: options.audit && { ...options.audit, policy: auditPolicy(options.audit.policy) },
			history: options.history,
			notify: options.notify,
			onWrite: onWrite && (await this.#followWrites((write) => onWrite(write))),
			onError: options.onError,
		});
	}

	async #followWrites(onWrite: NonNullable<ClusterOptions["onWrite"]>) {
		const log = new WriteLog(this.#parts.timing.clock, onWrite);
		const ending = new AbortController();
		this.atEnd(async () => ending.abort());
		await log.follow(this.#parts.store, ending.signal);
		return log.answered;
	}

	/** Nodes that have not started yet. */
	async createNodes(parts: {
		controlPlane: ControlPlane;
		client: Client;
		access(): Promise<Access>;
		ready(name: string): Promise<Node>;
	}): Promise<EmbeddedNodes> {
		const { controlPlane, client, access, ready } = parts;
		const { options, network, moment } = this.#parts;
		const pool = await this.#assembly.createPool(
			async () => controlPlane,
			async () => this.#nodeSockets(controlPlane, await access()),
		);
		this.#pool = pool;
		const { runtime = "simulated" } = options;
		return new EmbeddedNodes({ client, pool, runtime, clusterCidr: network.clusterCidr, ready, saved: moment?.nodes });
	}

	async #nodeSockets(controlPlane: ControlPlane, access: Access) {
		const { openNodeSockets } = await import("./process-nodes.ts");
		const { layout, close } = await openNodeSockets(controlPlane.api, access);
		this.atEnd(close);
		return { layout, clock: systemClock() };
	}

	/** See `Assembly.atEnd`. */
	atEnd(close: () => Promise<unknown>): void {
		this.#assembly.atEnd(close);
	}

	/**
	 * What a rewind to this moment needs; everything is read before it returns a promise.
	 * @throws Error unless the store is in memory and nodes are simulated
	 */
	remember(nodes: EmbeddedNodes): Promise<Moment> {
		const { options, store, timing } = this.#parts;
		const { store: wanted = "memory", runtime = "simulated" } = options;
		if (wanted !== "memory" || runtime !== "simulated")
			throw new Error('snapshots need store: "memory" and runtime: "simulated"');
		const [turnBack, running, saved] = [timing.remember(), this.#pool?.save?.(), nodes.save()];
		return store.range({ from: "" }).then((contents) => ({ contents, turnBack, running, nodes: saved }));
	}

	/** @returns the errors */
	stop(): Promise<unknown[]> {
		return this.#assembly.stop();
	}
}
