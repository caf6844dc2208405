/**
 * Containers of a CRI runtime such as containerd. Everything that it has to find again after a restart of the agent is
 * in labels and annotations, so that there are no records of our own.
 */
import type { Duplex } from "node:stream";
import type { Clock } from "../../core/time/clock.ts";
import { removeCgroups } from "../../linux/cgroup-tree.ts";
import { readMounts } from "../../linux/rootview-files.ts";
import { Connector } from "../connector.ts";
import { found } from "../found.ts";
import { type Cgroups, hasLimits, openCgroups } from "../process/machine/cgroups.ts";
import type {
	Container,
	ContainerConfig,
	ContainerStats,
	ExecOptions,
	ExecSession,
	Image,
	ImageWanted,
	ResourceLimits,
	Runtime,
	Sandbox,
	SandboxConfig,
} from "../runtime.ts";
import { Changes } from "./changes.ts";
import { type ConfigOptions, criContainerConfig, criResources, criSandboxConfig, podGroup } from "./config.ts";
import type { CriImages } from "./images.ts";
import { Listing } from "./listing.ts";
import { PinnedMounts, pinOwner } from "./pinned-mounts.ts";
import { type AttachOptions, attach, exec } from "./sessions.ts";
import { type CriClient, CriError } from "./wire/client.ts";
import { methods } from "./wire/methods.ts";

export interface CriRuntimeOptions extends ConfigOptions {
	client: CriClient;
	clock: Clock;
	/** For mounts of volumes; absolute. */
	directory: string;
	images: CriImages;
	/** Called when the runtime does not answer, before the next attempt. */
	lost(): Promise<void>;
	/** What this runtime lacks, see `Runtime.limitations`. */
	limitations: readonly string[];
	/** Called at the end of `close`. */
	closed?(): Promise<void>;
}

/** Beyond the grace period, for killing and for the runtime's own work. */
const stopExtraMs = 120_000;

/** @throws Error if the runtime does not answer */
export async function createCriRuntime(options: CriRuntimeOptions): Promise<Runtime> {
	const { runtimeName, runtimeVersion } = await options.client.call(methods.version, {});
	const runtime = new CriRuntime(options, `${runtimeName}://${runtimeVersion}`);
	await runtime.start();
	return runtime;
}

class CriRuntime implements Runtime {
	readonly version: string;
	readonly #options: CriRuntimeOptions;
	readonly #client: CriClient;
	readonly #listing: Listing;
	readonly #changes: Changes;
	readonly #cgroups: Cgroups;
	readonly #mounts: PinnedMounts;
	readonly #connector = new Connector();
	readonly #listeners = new Set<(podUid: string) => void>();

	constructor(options: CriRuntimeOptions, version: string) {
		const { client, clock, owner, cgroup, lost } = options;
		this.version = version;
		this.#options = options;
		this.#client = client;
		const listing = new Listing(client, owner);
		this.#listing = listing;
		this.#mounts = new PinnedMounts(`${options.directory}/mounts`);
		this.#cgroups = openCgroups(readMounts(), cgroup);
		this.#changes = new Changes({
			client,
			clock,
			list: () => listing.states(),
			lost,
			changed: (podUid) => {
				for (const listener of this.#listeners) listener(podUid);
			},
		});
	}

	async start(): Promise<void> {
		await this.#changes.start();
		const containers = await this.#listing.containers();
		this.#options.images.keepOnly?.(containers.map(({ id }) => id));
		await this.#mounts.keepOnly(containers.map(pinOwner));
	}

	async limitations(): Promise<readonly string[]> {
		return [...this.#cgroups.limitations, ...this.#options.limitations];
	}

	resolveImage(image: string, wanted: ImageWanted): Promise<Image> {
		return this.#options.images.resolve(image, wanted);
	}

	images(): ReturnType<NonNullable<Runtime["images"]>> {
		return this.#options.images.list();
	}

	removeUnusedImages(): Promise<void> {
		return this.#options.images.removeUnused();
	}

	async createSandbox(config: SandboxConfig): Promise<Sandbox> {
		const same = (await this.#listing.sandboxes()).find(
			(sandbox) => sandbox.config.podUid === config.podUid && sandbox.config.attempt === config.attempt,
		);
		if (same !== undefined) return same;
		const { cgroup: limits = {}, pidsLimit } = config;
		const bounds = { ...limits, ...(pidsLimit === undefined ? {} : { pidsLimit }) };
		if (hasLimits(bounds)) this.#cgroups.createParent(podGroup(config), bounds);
		const request = { config: criSandboxConfig(config, this.#options) };
		const { podSandboxId = "" } = await this.#client.call(methods.runSandbox, request);
		return this.#sandbox(podSandboxId);
	}

	async stopSandbox(id: string): Promise<void> {
		this.#connector.forget(id);
		await ignoreGone(this.#client.call(methods.stopSandbox, { podSandboxId: id }));
		this.#changes.expect();
	}

	async removeSandbox(id: string): Promise<void> {
		const { cgroup, clock } = this.#options;
		const sandbox = (await this.#listing.sandboxes()).find((one) => one.id === id);
		if (sandbox === undefined) return;
		await this.stopSandbox(id);
		const inside = (await this.#listing.containers()).filter(({ sandboxId }) => sandboxId === id);
		await ignoreGone(this.#client.call(methods.removeSandbox, { podSandboxId: id }));
		for (const container of inside) await this.#gone(container);
		// The runtime makes the group in hierarchies that have no limits here, too.
		if (cgroup !== undefined) await removeCgroups(`${cgroup}/${podGroup(sandbox.config)}`, clock);
	}

	listSandboxes(): Promise<Sandbox[]> {
		return this.#listing.sandboxes();
	}

	async createContainer(sandboxId: string, config: ContainerConfig): Promise<Container> {
		const { images } = this.#options;
		const sandbox = await this.#sandbox(sandboxId);
		if (sandbox.state !== "ready") throw new Error(`sandbox ${sandboxId} is not ready`);
		const image = await images.provide(config);
		const owner = { sandboxId, name: config.name, attempt: config.attempt };
		const mounts = await this.#mounts.pin(owner, config.mounts);
		const asked = this.#client.call(methods.createContainer, {
			podSandboxId: sandboxId,
			config: criContainerConfig(config, { sandbox: sandbox.config, image, mounts }, this.#options),
			sandboxConfig: criSandboxConfig(sandbox.config, this.#options, config.security.privileged),
		});
		const { containerId = "" } = await asked.catch(async (error: unknown) => {
			await this.#mounts.release(owner);
			throw error;
		});
		const container = await this.#container(containerId);
		images.used?.(container);
		return container;
	}

	async startContainer(id: string): Promise<void> {
		try {
			await this.#client.call(methods.startContainer, { containerId: id });
		} catch (error) {
			// The runtime keeps it as exited, with the reason.
			if ((await this.#container(id)).state !== "exited") throw error;
		}
		this.#changes.expect();
	}

	async stopContainer(id: string, graceMs: number): Promise<void> {
		if ((await this.#container(id)).state === "exited") return;
		const request = { containerId: id, timeout: Math.ceil(graceMs / 1000) };
		await this.#client.call(methods.stopContainer, request, { timeoutMs: graceMs + stopExtraMs });
		this.#changes.expect();
	}

	async removeContainer(id: string): Promise<void> {
		const container = (await this.#listing.containers()).find((one) => one.id === id);
		await ignoreGone(this.#client.call(methods.removeContainer, { containerId: id }));
		if (container !== undefined) await this.#gone(container);
	}

	listContainers(): Promise<Container[]> {
		return this.#listing.containers();
	}

	async updateLimits(id: string, limits: ResourceLimits): Promise<void> {
		await this.#client.call(methods.updateResources, { containerId: id, linux: criResources(limits) });
	}

	async updateSandboxLimits(id: string, limits: ResourceLimits): Promise<void> {
		this.#cgroups.update(podGroup((await this.#sandbox(id)).config), limits);
	}

	async reopenLog(id: string): Promise<void> {
		await this.#client.call(methods.reopenLog, { containerId: id });
	}

	exec(id: string, options: ExecOptions): Promise<ExecSession> {
		return exec(this.#client, id, options);
	}

	async attach(id: string, options: AttachOptions): Promise<ExecSession> {
		const { clock } = this.#options;
		return attach(this.#client, clock, await this.#container(id), { ...options, now: () => this.#container(id) });
	}

	/** Through the sandbox's network namespace: port-forward of CRI does not say whether there is a connection. */
	async connect(sandboxId: string, port: number, signal: AbortSignal): Promise<Duplex> {
		const { networkNamespace, config } = await this.#sandbox(sandboxId);
		const pid = Number(/^\/proc\/(\d+)\//.exec(networkNamespace ?? "")?.[1]);
		if (!config.hostNetwork && Number.isNaN(pid)) throw new Error(`sandbox ${sandboxId} has no network`);
		return this.#connector.connect({ id: sandboxId, hostNetwork: config.hostNetwork, pid }, port, signal);
	}

	async stats(): Promise<ContainerStats[]> {
		const { stats } = await this.#client.call(methods.stats, { filter: { labelSelector: this.#listing.labels } });
		return stats.map(({ attributes, cpu, memory }) => ({
			containerId: attributes?.id ?? "",
			cpuNanoseconds: cpu?.usageCoreNanoSeconds?.value ?? 0,
			memoryBytes: memory?.workingSetBytes?.value ?? memory?.usageBytes?.value ?? 0,
		}));
	}

	onChange(listener: (podUid: string) => void): void {
		this.#listeners.add(listener);
	}

	async close(): Promise<void> {
		this.#listeners.clear();
		this.#changes.stop();
		this.#connector.close();
		this.#client.close();
		await this.#options.closed?.();
	}

	async #gone(container: Container): Promise<void> {
		this.#options.images.unused?.(container);
		await this.#mounts.release(pinOwner(container));
	}

	async #sandbox(id: string): Promise<Sandbox> {
		return found(
			(await this.#listing.sandboxes()).find((sandbox) => sandbox.id === id),
			`sandbox ${id}`,
		);
	}

	async #container(id: string): Promise<Container> {
		return found(
			(await this.#listing.containers()).find((container) => container.id === id),
			`container ${id}`,
		);
	}
}

/** The calls are idempotent, but not in every runtime. */
async function ignoreGone(call: Promise<unknown>): Promise<void> {
	await call.catch((error: unknown) => {
		if (!(error instanceof CriError && error.isNotFound)) throw error;
	});
}
