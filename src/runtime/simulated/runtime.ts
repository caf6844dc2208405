/** A Runtime in memory whose containers run no program, for simulated nodes. `script.ts` says what a container does. */
import type { Duplex } from "node:stream";
import type { Clock } from "../../core/time/clock.ts";
import { parseImageReference } from "../reference.ts";
import {
	type Container,
	type ContainerConfig,
	type ContainerStats,
	type ExecOptions,
	type ExecSession,
	type Image,
	ImageError,
	type ImageWanted,
	type ResourceLimits,
	type Runtime,
	type Sandbox,
	type SandboxConfig,
} from "../runtime.ts";
import { readScript, type Script } from "./script.ts";
import {
	addLine,
	change,
	type Entry,
	endLater,
	finish,
	type PodIds,
	type SimulatedState,
	simulatedState,
} from "./state.ts";
import { simulatedConnection, simulatedSession } from "./streams.ts";

export { type SimulatedState, simulatedState } from "./state.ts";

/** With what only a runtime in memory can offer; the agent receives these functions when it is created. */
export interface SimulatedRuntime extends Runtime {
	/** The sandboxes and containers of one pod, oldest first. `onChange` reports every change. */
	ofPod(podUid: string): Promise<{ sandboxes: Sandbox[]; containers: Container[] }>;
	/** The log of a container in CRI format: nothing is written to `logPath`. */
	logText(id: string): string | undefined;
}

export function createSimulatedRuntime(options: { clock: Clock; state?: SimulatedState }): SimulatedRuntime {
	return new RuntimeInMemory(options.clock, options.state ?? simulatedState());
}

class RuntimeInMemory implements SimulatedRuntime {
	readonly version = "simulated://1";
	readonly #clock: Clock;
	readonly #state: SimulatedState;
	readonly #listeners: ((podUid: string) => void)[] = [];

	constructor(clock: Clock, state: SimulatedState) {
		this.#clock = clock;
		this.#state = state;
	}

	async limitations(): Promise<readonly string[]> {
		return ["containers are simulated: no program runs"];
	}

	async resolveImage(image: string, { pullPolicy, pulling }: ImageWanted): Promise<Image> {
		const { registry } = parseImageReference(image);
		const pulls = pullPolicy === "Always";
		if (pulls) pulling?.();
		if (registry === "invalid" || registry.endsWith(".invalid"))
			throw new ImageError("ErrImagePull", `failed to resolve reference "${image}": lookup ${registry}: no such host`);
		return { id: `simulated:${image}`, sizeBytes: 0, ...(pulls ? { pulled: { tookMs: 0, withWaitingMs: 0 } } : {}) };
	}

	async createSandbox(config: SandboxConfig): Promise<Sandbox> {
		const id = `${config.podUid}-${config.attempt}`;
		const before = this.#state.sandboxes.get(id);
		if (before !== undefined) return before;
		const sandbox: Sandbox = {
			id,
			config,
			state: "ready",
			createdAtMs: this.#clock.now(),
			...(config.hostNetwork ? {} : { networkNamespace: `simulated:${id}` }),
		};
		this.#state.sandboxes.set(id, sandbox);
		const pod = this.#idsOf(config.podUid);
		pod.sandboxes = pod.sandboxes.concat(id);
		this.#state.pods.set(config.podUid, pod);
		return sandbox;
	}

	async stopSandbox(id: string): Promise<void> {
		const sandbox = this.#state.sandboxes.get(id);
		if (sandbox === undefined) return;
		for (const containerId of this.#containersOf(id)) this.#finish(this.#existing(containerId), 137);
		this.#state.sandboxes.set(id, { ...sandbox, state: "notReady" });
	}

	async removeSandbox(id: string): Promise<void> {
		await this.stopSandbox(id);
		const podUid = this.#podUid(id);
		const pod = this.#idsOf(podUid);
		for (const containerId of this.#containersOf(id)) {
			this.#state.containers.delete(containerId);
			pod.containers = pod.containers.filter((other) => other !== containerId);
		}
		pod.sandboxes = pod.sandboxes.filter((other) => other !== id);
		if (pod.sandboxes.length === 0) this.#state.pods.delete(podUid);
		this.#state.sandboxes.delete(id);
	}

	async listSandboxes(): Promise<Sandbox[]> {
		return [...this.#state.sandboxes.values()];
	}

	async createContainer(sandboxId: string, config: ContainerConfig): Promise<Container> {
		const sandbox = this.#readySandbox(sandboxId);
		const id = `${sandboxId}-${config.name}-${config.attempt}-${++this.#state.sequence}`;
		const imageId = `simulated:${config.image}`;
		const container: Container = { id, sandboxId, config, imageId, state: "created", createdAtMs: this.#clock.now() };
		this.#state.containers.set(id, { container, log: "", onExit: [] });
		const pod = this.#idsOf(sandbox.config.podUid);
		pod.containers = pod.containers.concat(id);
		return container;
	}

	async startContainer(id: string): Promise<void> {
		const entry = this.#existing(id);
		if (entry.container.state !== "created") return;
		const script = this.#script(entry.container);
		if (script.readyDelayMs > 0) {
			await new Promise<void>((resolve) => {
				entry.onExit.push(() => resolve());
				entry.timer = this.#clock.after(script.readyDelayMs, resolve);
			});
		}
		if (this.#existing(id).container.state === "created") this.#run(entry, script);
	}

	/**
	 * The container exits immediately: with 0, like a program that handles SIGTERM, or with 137 if it has not started.
	 */
	async stopContainer(id: string): Promise<void> {
		const entry = this.#existing(id);
		this.#finish(entry, entry.container.state === "created" ? 137 : 0);
	}

	async removeContainer(id: string): Promise<void> {
		const entry = this.#state.containers.get(id);
		if (entry === undefined) return;
		this.#finish(entry, 137);
		this.#state.containers.delete(id);
		const pod = this.#idsOf(this.#podUid(entry.container.sandboxId));
		pod.containers = pod.containers.filter((other) => other !== id);
	}

	async listContainers(): Promise<Container[]> {
		return [...this.#state.containers.values()].map(({ container }) => container);
	}

	async ofPod(podUid: string): Promise<{ sandboxes: Sandbox[]; containers: Container[] }> {
		const { sandboxes, containers } = this.#idsOf(podUid);
		return {
			sandboxes: sandboxes.map((id) => this.#existingSandbox(id)),
			containers: containers.map((id) => this.#existing(id).container),
		};
	}

	async updateLimits(id: string, limits: ResourceLimits): Promise<void> {
		const entry = this.#existing(id);
		change(entry, { config: { ...entry.container.config, limits } });
	}

	async updateSandboxLimits(id: string, limits: ResourceLimits): Promise<void> {
		const sandbox = this.#existingSandbox(id);
		this.#state.sandboxes.set(id, { ...sandbox, config: { ...sandbox.config, cgroup: limits } });
	}

	async reopenLog(): Promise<void> {}

	logText(id: string): string | undefined {
		return this.#state.containers.get(id)?.log;
	}

	async exec(id: string, { command, stdin, tty }: ExecOptions): Promise<ExecSession> {
		if (this.#existing(id).container.state !== "running") throw new Error(`container ${id} is not running`);
		return simulatedSession({ stdin, tty }, `simulated: ${command.join(" ")}\n`, Promise.resolve(0));
	}

	async attach(id: string, { stdin, signal }: { stdin: boolean; signal: AbortSignal }): Promise<ExecSession> {
		const entry = this.#existing(id);
		const ended = new Promise<number>((resolve) => {
			if (entry.container.exitCode !== undefined) resolve(entry.container.exitCode);
			else entry.onExit.push(resolve);
			signal.addEventListener("abort", () => resolve(0), { once: true });
		});
		return simulatedSession({ stdin, tty: entry.container.config.tty }, undefined, ended);
	}

	async connect(sandboxId: string): Promise<Duplex> {
		this.#readySandbox(sandboxId);
		return simulatedConnection();
	}

	async stats(): Promise<ContainerStats[]> {
		const containers = [...this.#state.containers.values()].map(({ container }) => container);
		return containers
			.filter(({ state }) => state === "running")
			.map((container) => {
				const { cores, memoryBytes } = this.#script(container);
				const runningMs = this.#clock.now() - (container.startedAtMs ?? this.#clock.now());
				return { containerId: container.id, cpuNanoseconds: Math.round(cores * runningMs * 1e6), memoryBytes };
			});
	}

	onChange(listener: (podUid: string) => void): void {
		this.#listeners.push(listener);
		this.#state.listeners.add(listener);
	}

	async close(): Promise<void> {
		for (const listener of this.#listeners.splice(0)) this.#state.listeners.delete(listener);
	}

	#run(entry: Entry, script: Script): void {
		change(entry, { state: "running", startedAtMs: this.#clock.now() });
		const { name, image } = entry.container.config;
		addLine(entry, `${name} started, simulated, image ${image}`, this.#clock);
		const failed = script.failureRate > 0 && this.#clock.random() < script.failureRate;
		const exitCode = failed ? script.exitCode || 1 : script.failureRate > 0 ? 0 : script.exitCode;
		const endsAfterMs = script.durationMs ?? (failed ? 0 : undefined);
		if (endsAfterMs !== undefined) endLater(this.#state, entry, { afterMs: endsAfterMs, exitCode }, this.#clock);
	}

	#finish(entry: Entry, exitCode: number): void {
		finish(entry, exitCode, this.#clock);
	}

	#script({ sandboxId, config }: Container): Script {
		return readScript(this.#state.sandboxes.get(sandboxId), config);
	}

	#podUid(sandboxId: string): string {
		return this.#state.sandboxes.get(sandboxId)?.config.podUid ?? "";
	}

	#idsOf(podUid: string): PodIds {
		return this.#state.pods.get(podUid) ?? { sandboxes: [], containers: [] };
	}

	#containersOf(sandboxId: string): string[] {
		const { containers } = this.#idsOf(this.#podUid(sandboxId));
		return containers.filter((id) => this.#state.containers.get(id)?.container.sandboxId === sandboxId);
	}

	#existingSandbox(id: string): Sandbox {
		const sandbox = this.#state.sandboxes.get(id);
		if (sandbox === undefined) throw new Error(`sandbox ${id} does not exist`);
		return sandbox;
	}

	#readySandbox(id: string): Sandbox {
		const sandbox = this.#state.sandboxes.get(id);
		if (sandbox?.state !== "ready") throw new Error(`sandbox ${id} is not ready`);
		return sandbox;
	}

	#existing(id: string): Entry {
		const entry = this.#state.containers.get(id);
		if (entry === undefined) throw new Error(`container ${id} does not exist`);
		return entry;
	}
}
