/**
 * Containers as processes of this machine, which serves as their image. Runs inside a node's namespaces (see
 * network/machine.ts) and needs only util-linux. The state of a container is in its record on disk and in its own
 * processes, so that a restarted agent finds everything.
 */
import { randomUUID } from "node:crypto";
import type { Duplex } from "node:stream";
import { namesIn } from "../../linux/if-there.ts";
import { Connector } from "../connector.ts";
import { found } from "../found.ts";
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
import { ProcessContainer } from "./container/container.ts";
import type { Environment } from "./container/environment.ts";
import { ProcessSandbox } from "./container/sandbox.ts";
import { attach, exec } from "./container/streams.ts";
import { openEnvironment } from "./environment.ts";
import { limitationsOf } from "./limitations.ts";
import type { ProcessRuntimeOptions } from "./options.ts";
import { measure } from "./usage.ts";

export type { ProcessRuntimeOptions } from "./options.ts";

export async function createProcessRuntime(options: ProcessRuntimeOptions): Promise<Runtime> {
	const listeners = new Set<(podUid: string) => void>();
	const environment = openEnvironment(options, (podUid) => {
		for (const listener of listeners) listener(podUid);
	});
	return new ProcessRuntime(environment, await limitationsOf(environment, options), listeners);
}

class ProcessRuntime implements Runtime {
	readonly version = "process://0.1.0";
	readonly #environment: Environment;
	readonly #limitations: readonly string[];
	readonly #listeners: Set<(podUid: string) => void>;
	readonly #sandboxes: Map<string, ProcessSandbox>;
	readonly #containers: Map<string, ProcessContainer>;
	readonly #connector = new Connector();

	/** @param listeners those of `onChange`, which the environment calls */
	constructor(environment: Environment, limitations: readonly string[], listeners: Set<(podUid: string) => void>) {
		this.#environment = environment;
		this.#limitations = limitations;
		this.#listeners = listeners;
		const { directory } = environment;
		this.#sandboxes = load(`${directory}/sandboxes`, (name) => ProcessSandbox.load(environment, name));
		this.#containers = load(`${directory}/containers`, (name) => ProcessContainer.load(environment, name));
	}

	async limitations(): Promise<readonly string[]> {
		return this.#limitations;
	}

	async resolveImage(image: string, wanted: ImageWanted): Promise<Image> {
		return this.#environment.images.resolve(image, wanted);
	}

	images(): ReturnType<NonNullable<Runtime["images"]>> {
		return this.#environment.images.list();
	}

	removeUnusedImages(): Promise<void> {
		return this.#environment.images.removeUnused();
	}

	async createSandbox(config: SandboxConfig): Promise<Sandbox> {
		const same = [...this.#sandboxes.values()].find(
			(sandbox) => sandbox.config.podUid === config.podUid && sandbox.config.attempt === config.attempt,
		);
		if (same !== undefined) return same.describe();
		const sandbox = await ProcessSandbox.create(this.#environment, newId(), config, this.#sandboxes.values());
		this.#sandboxes.set(sandbox.id, sandbox);
		return sandbox.describe();
	}

	async stopSandbox(id: string): Promise<void> {
		this.#connector.forget(id);
		const containers = this.#containersIn(id).map((container) => container.stop(0));
		await Promise.all([this.#sandboxes.get(id)?.stop(), ...containers]);
	}

	async removeSandbox(id: string): Promise<void> {
		const sandbox = this.#sandboxes.get(id);
		if (sandbox === undefined) return;
		await this.stopSandbox(id);
		await Promise.all(this.#containersIn(id).map((container) => container.remove()));
		for (const container of this.#containersIn(id)) this.#containers.delete(container.id);
		await sandbox.remove();
		this.#sandboxes.delete(id);
	}

	async listSandboxes(): Promise<Sandbox[]> {
		return [...this.#sandboxes.values()].map((sandbox) => sandbox.describe());
	}

	async createContainer(sandboxId: string, config: ContainerConfig): Promise<Container> {
		const sandbox = this.#sandbox(sandboxId);
		if (!sandbox.isReady) throw new Error(`sandbox ${sandboxId} is not ready`);
		const target = this.#target(sandbox, config);
		const container = await ProcessContainer.create(this.#environment, sandbox, newId(), config, target);
		this.#containers.set(container.id, container);
		return container.describe();
	}

	async startContainer(id: string): Promise<void> {
		await this.#container(id).start();
	}

	async stopContainer(id: string, graceMs: number): Promise<void> {
		await this.#container(id).stop(graceMs);
	}

	async removeContainer(id: string): Promise<void> {
		await this.#containers.get(id)?.remove();
		this.#containers.delete(id);
	}

	async listContainers(): Promise<Container[]> {
		return [...this.#containers.values()].map((container) => container.describe());
	}

	async ofPod(podUid: string): Promise<{ sandboxes: Sandbox[]; containers: Container[] }> {
		const sandboxes = [...this.#sandboxes.values()].filter(({ config }) => config.podUid === podUid);
		const containers = [...this.#containers.values()].filter((container) => container.podUid === podUid);
		return {
			sandboxes: sandboxes.map((sandbox) => sandbox.describe()),
			containers: containers.map((container) => container.describe()),
		};
	}

	writableLayers(id: string): readonly string[] {
		return this.#containers.has(id) ? [`${this.#environment.scratch}/${id}`] : [];
	}

	async updateLimits(id: string, limits: ResourceLimits): Promise<void> {
		await this.#container(id).update(limits);
	}

	async updateSandboxLimits(id: string, limits: ResourceLimits): Promise<void> {
		await this.#sandbox(id).update(limits);
	}

	async reopenLog(id: string): Promise<void> {
		await this.#container(id).reopenLog();
	}

	async exec(id: string, options: ExecOptions): Promise<ExecSession> {
		return exec(this.#environment.launcher, this.#container(id), options);
	}

	async attach(id: string, options: { stdin: boolean; signal: AbortSignal }): Promise<ExecSession> {
		return attach(this.#container(id), options);
	}

	async connect(sandboxId: string, port: number, signal: AbortSignal): Promise<Duplex> {
		const { id, config, holderPid } = this.#sandbox(sandboxId);
		return this.#connector.connect({ id, hostNetwork: config.hostNetwork, pid: holderPid }, port, signal);
	}

	async stats(): Promise<ContainerStats[]> {
		return measure([...this.#containers.values()]);
	}

	onChange(listener: (podUid: string) => void): void {
		this.#listeners.add(listener);
	}

	async close(): Promise<void> {
		this.#listeners.clear();
		this.#connector.close();
		for (const container of this.#containers.values()) container.close();
		await this.#environment.trash.emptied();
	}

	#sandbox(id: string): ProcessSandbox {
		return found(this.#sandboxes.get(id), `sandbox ${id}`);
	}

	#container(id: string): ProcessContainer {
		return found(this.#containers.get(id), `container ${id}`);
	}

	#containersIn(sandboxId: string): ProcessContainer[] {
		return [...this.#containers.values()].filter((container) => container.sandboxId === sandboxId);
	}

	/** @throws Error if the target container is not running */
	#target({ config: { sharePid, hostPid } }: ProcessSandbox, { targetId }: ContainerConfig) {
		// It sees all processes of the pod anyway.
		if (targetId === undefined || sharePid || hostPid) return undefined;
		const { init } = this.#container(targetId);
		return found(init, `a process of container ${targetId}, whose processes are to be seen,`);
	}
}

/** What the records in a folder describe, by ID. */
function load<T extends { id: string }>(folder: string, read: (name: string) => T | undefined): Map<string, T> {
	const items = namesIn(folder).flatMap((name) => read(name) ?? []);
	return new Map(items.map((item) => [item.id, item]));
}

function newId(): string {
	return randomUUID().replaceAll("-", "");
}
