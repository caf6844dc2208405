import type { Client } from "../../client/client.ts";
import { waitFor } from "../../client/wait.ts";
import { systemClock } from "../../core/time/clock.ts";
import { nodes } from "../../kinds/core/node.ts";
import { serviceAccounts } from "../../kinds/core/serviceaccount.ts";
import { logError } from "../../linux/process-log.ts";
import { Assembly, type PartLoaders } from "../assembly/assembly.ts";
import type { ClockCommand, ClockStatus, ClusterStatus, DashboardRequest } from "../control/control-protocol.ts";
import { supervision } from "../control/supervision.ts";
import type { ControlPlane } from "../control-plane/control-plane.ts";
import { cox } from "../control-plane/identities.ts";
import { type ClusterStore, openClusterStore } from "../data/cluster-store.ts";
import { holdTimeForWrites } from "../data/held-store.ts";
import type { Layout } from "../files/layout.ts";
import { protectData } from "../files/private-folder.ts";
import { readSettings, type Settings, writeSettings } from "../settings/settings.ts";
import type { ApiListeners } from "./api-listeners.ts";
import type { DashboardListener } from "./dashboard-listener.ts";
import type { LaunchOptions } from "./launch.ts";
import { launchSettings } from "./launch-settings.ts";
import { readyLimitMs, ServerNodes } from "./server-nodes.ts";
import { clusterStatus, nodeStatus, type StatusParts } from "./server-status.ts";
import { ServerTime } from "./server-time.ts";
import { removeSockets } from "./stop.ts";

const load: PartLoaders = {
	controlPlane: async () => (await import("../control-plane/control-plane.ts")).startControlPlane,
	simulatedNodes: async () => (await import("../nodes/simulated-nodes.ts")).createSimulatedNodes,
};
const loadServing = () => import("./served-control-plane.ts");
const preferredPort = 6443;
/** After this time a start says what it may be waiting for. */
const slowMs = 10_000;

/** A complete cluster in this process, except the agents of real nodes, which are separate processes. */
export class ClusterServer {
	readonly nodes: ServerNodes;
	readonly #layout: Layout;
	readonly #settings: Settings;
	readonly #time: ServerTime;
	readonly #startedMs = systemClock().monotonicMs();
	readonly #assembly: Assembly;
	readonly #options: LaunchOptions;
	#opened: ClusterStore | undefined;
	#listeners: ApiListeners | undefined;
	/** Undefined before its start; fulfilled when it answers. */
	#controlPlane: Promise<ControlPlane> | undefined;
	/** Undefined until someone asks for a link. */
	#dashboard: Promise<DashboardListener> | undefined;
	#readyAfterMs: number | undefined;

	constructor(layout: Layout, options: LaunchOptions) {
		this.#layout = layout;
		this.#options = options;
		this.#settings = launchSettings(readSettings(layout.settings), options);
		this.#time = new ServerTime(this.#settings, () => this.#saveSettings());
		const { runtime, clusterCidr, serviceCidr, publish, ingressPorts } = this.#settings;
		const network = { clusterCidr, serviceCidr };
		const { clock } = this.#time;
		this.#assembly = new Assembly({ load, runtime, clock, network, publish, ingressPorts });
		this.nodes = new ServerNodes({
			settings: this.#settings,
			save: () => this.#saveSettings(),
			clock,
			pool: () => this.#assembly.pool,
			client: () => this.#client(),
			status: (name, node) => nodeStatus(this.#parts, name, node),
		});
	}

	/**
	 * Resolves when every node is Ready and the default service account exists. If a part fails, everything that was
	 * started is stopped.
	 */
	async start(progress: (text: string) => void): Promise<ClusterStatus> {
		try {
			await this.#start(progress);
			return await this.status();
		} catch (error) {
			// Nodes that an earlier server left running are kept if this one fails: the next one may succeed.
			if (supervision(this.#layout).restarts.count === 0) await this.stop();
			throw error;
		}
	}

	/** Saves the state of this process when it cannot continue. Nodes and pods keep running for the next one. */
	abandon(): void {
		if (this.#readyAfterMs !== undefined) this.#time.keep();
	}

	async #start(progress: (text: string) => void): Promise<void> {
		const { sockets } = this.#layout;
		protectData(this.#layout);
		const { virtual } = this.#time;
		const opened = await openClusterStore(this.#layout, {
			encryptionFile: (this.#options.encryptionFile ?? this.#settings.encryption?.file) || undefined,
			lastEncryption: this.#settings.encryption,
			// A month that passes in seconds should not wait for the disk with every write.
			flush: virtual === undefined,
			wrap: (disk) => (virtual === undefined ? disk : holdTimeForWrites(disk, virtual)),
		});
		const { disk } = opened;
		this.#opened = opened;
		this.#assembly.atEnd(() => disk.close());
		this.#assembly.atEnd(async () => removeSockets(sockets));
		this.#settings.encryption = opened.encryption;
		this.#saveSettings();
		const controlPlane = () => (this.#controlPlane ??= this.#startControlPlane(opened, progress));
		try {
			await this.#startNodes(controlPlane, progress);
		} catch (error) {
			// Its start must be over before everything is stopped.
			await this.#controlPlane?.catch(() => {});
			throw error;
		}
		await waitFor(
			(await controlPlane()).client(cox),
			serviceAccounts,
			{ namespace: "default", name: "default" },
			(account) => account !== undefined,
			{ signal: AbortSignal.timeout(readyLimitMs) },
		);
		this.#time.resume();
		this.#readyAfterMs = systemClock().monotonicMs() - this.#startedMs;
	}

	/** Resolves when it listens on its sockets. */
	async #startControlPlane({ store, disk }: ClusterStore, progress: (text: string) => void): Promise<ControlPlane> {
		const { serveControlPlane } = await loadServing();
		const served = await serveControlPlane({
			assembly: this.#assembly,
			layout: this.#layout,
			settings: this.#settings,
			store,
			disk,
			port: this.#settings.port || preferredPort,
		});
		this.#listeners = served.listeners;
		this.#keepPort(served.listeners.port, progress);
		return served.controlPlane;
	}

	#keepPort(port: number, progress: (text: string) => void): void {
		const { port: last } = this.#settings;
		if (port === last) return;
		if (last !== 0) progress(`port ${last} is taken: the API server now has port ${port}`);
		this.#settings.port = port;
		this.#saveSettings();
	}

	/**
	 * @param controlPlane starts the control plane. That keeps this process busy for most of the time that `cox up` takes,
	 * so it is called when the first agent's process has been started: both start at the same time
	 */
	async #startNodes(controlPlane: () => Promise<ControlPlane>, progress: (text: string) => void): Promise<void> {
		const { kubelet, manifests, showHome, images, imageStore } = this.#settings;
		await this.#assembly.createPool(controlPlane, () => ({
			layout: this.#layout,
			clock: systemClock(),
			// As with upstream's kubelet, the flag goes before the configuration.
			kubelet: manifests === undefined ? kubelet : { ...kubelet, staticPodPath: manifests },
			showHome,
			images,
			imageStore,
			apiAnswers: controlPlane,
		}));
		const { names } = this.nodes;
		if (names.length > 0) progress(`starting ${names.length === 1 ? "node" : "nodes"} ${names.join(", ")}`);
		const slow = systemClock().after(slowMs, () =>
			progress("nodes are not Ready yet; if a webhook or policy refuses what they report, delete it with kubectl"),
		);
		const adding = Promise.all(names.map((name) => this.nodes.start(name)));
		// While other processes make the first node's namespaces.
		setImmediate(() => void Promise.all([loadServing(), load.controlPlane()]).catch(() => {}));
		try {
			await adding;
		} finally {
			slow.cancel();
		}
	}

	/** @throws Error when there is none yet */
	async #client(): Promise<Client> {
		if (this.#controlPlane === undefined) throw new Error("the cluster is still starting");
		return (await this.#controlPlane).client(cox);
	}

	async status(): Promise<ClusterStatus> {
		const { items } = await (await this.#client()).list(nodes);
		return clusterStatus(this.#parts, items, this.#readyAfterMs);
	}

	/** Resolves when every node is Ready, and those that had ended are recreated. */
	async ready(): Promise<ClusterStatus> {
		await this.nodes.ready();
		return this.status();
	}

	get #parts(): StatusParts {
		return {
			layout: this.#layout,
			settings: this.#settings,
			clock: this.#time.status,
			pool: this.#assembly.pool,
			ingressUrls: this.#assembly.ingressUrls,
			warnings: [this.#listeners?.warning ?? [], this.#assembly.warnings].flat(),
		};
	}

	/**
	 * Rotates the key of Secrets.
	 * @returns the number of Secrets written
	 * @throws Error if a configuration's keys encrypt them
	 */
	async rotateSecrets(): Promise<{ count: number }> {
		if (this.#opened === undefined) throw new Error("the cluster is still starting");
		const { atRest, disk } = this.#opened;
		if (!atRest.usesOwnKey)
			throw new Error(
				`the keys of Secrets are in ${this.#settings.encryption?.file}: put a new one first there, then 'cox down' and 'cox up'`,
			);
		return { count: await atRest.rotate(disk) };
	}

	/** Writes a consistent copy of the store into a folder. */
	async copyStore(folder: string): Promise<void> {
		if (this.#opened === undefined) throw new Error("the cluster is still starting");
		await this.#opened.disk.copyTo(folder);
	}

	/** A link to the dashboard, whose port is opened with the first. */
	async dashboard(request: DashboardRequest): Promise<{ url: string }> {
		if (this.#controlPlane === undefined) throw new Error("the cluster is still starting");
		const controlPlane = await this.#controlPlane;
		this.#dashboard ??= this.#openDashboard(controlPlane).catch((error: unknown) => {
			this.#dashboard = undefined;
			throw error;
		});
		return { url: (await this.#dashboard).link(request) };
	}

	async #openDashboard(controlPlane: ControlPlane): Promise<DashboardListener> {
		const { DashboardListener } = await import("./dashboard-listener.ts");
		const listener = await DashboardListener.open(controlPlane, this.#time);
		this.#assembly.atEnd(() => listener.close());
		return listener;
	}

	clock(command: ClockCommand): Promise<ClockStatus> {
		return this.#time.turn(command);
	}

	#saveSettings(): void {
		writeSettings(this.#layout.settings, this.#settings);
	}

	/** Stops everything: nodes, then the other parts in reverse order. */
	async stop(): Promise<void> {
		if (this.#readyAfterMs !== undefined) this.#time.keep();
		for (const error of await this.#assembly.stop()) logError("stopping", error);
		this.#time.stop();
	}
}
