/** The agent's memory of one pod, as it changes. To plans it is a `PodMemory`, which they only read. */
import type { Backoff, ContainerMemory, PodMemory, Verdict } from "../pod/pod-state.ts";

const noMessages: ReadonlyMap<string, string> = new Map();

export class PodMemoryKeeper implements PodMemory {
	readonly observedAtMs: number;
	readonly #busy = new Set<string>();
	readonly #containers = new Map<string, ContainerMemory>();
	#terminationMessages: Map<string, string> | undefined;
	volumes: PodMemory["volumes"] = { state: "none" };
	sandboxFailure: PodMemory["sandboxFailure"];
	addresses: readonly string[] = [];
	verdict: Verdict | undefined;
	endingSinceMs: number | undefined;
	released = false;
	statusWritten = false;
	deletion: PodMemory["deletion"];
	resize: PodMemory["resize"];
	resizedPod: PodMemory["resizedPod"];

	constructor(observedAtMs: number) {
		this.observedAtMs = observedAtMs;
	}

	get volumesReady(): boolean {
		return this.volumes.state === "ready";
	}

	get busy(): ReadonlySet<string> {
		return this.#busy;
	}

	get containers(): ReadonlyMap<string, ContainerMemory> {
		return this.#containers;
	}

	get terminationMessages(): ReadonlyMap<string, string> {
		return this.#terminationMessages ?? noMessages;
	}

	isBusy(key: string): boolean {
		return this.#busy.has(key);
	}

	setBusy(key: string, busy: boolean): void {
		if (busy) this.#busy.add(key);
		else this.#busy.delete(key);
	}

	container(name: string): ContainerMemory {
		return this.#containers.get(name) ?? {};
	}

	/** Fields given as undefined are forgotten. */
	remember(name: string, change: { [K in keyof ContainerMemory]?: ContainerMemory[K] | undefined }): void {
		const next: Record<string, unknown> = {};
		for (const [key, value] of Object.entries({ ...this.#containers.get(name), ...change }))
			if (value !== undefined) next[key] = value;
		// Only keys of ContainerMemory were put in.
		this.#containers.set(name, next as ContainerMemory);
	}

	imageBackoff(name: string): Backoff | undefined {
		return this.container(name).imageBackoff;
	}

	/** What failed and waits is tried again with the next plan. */
	retryAtOnce(): void {
		if (this.volumes.state === "failed") this.volumes = { state: "none" };
		for (const [name, memory] of this.#containers) {
			if (memory.startFailure?.reason === "CreateContainerConfigError") {
				this.remember(name, { startFailure: { ...memory.startFailure, retryAtMs: 0 } });
			}
		}
	}

	/** A container's image has changed: what went wrong with the other one holds this one up no more. */
	forgetFailures(name: string): void {
		if (!this.#containers.has(name)) return;
		this.remember(name, {
			restartBackoff: undefined,
			imageBackoff: undefined,
			startFailure: undefined,
			heldBack: undefined,
		});
	}

	hasTerminationMessage(id: string): boolean {
		return this.#terminationMessages?.has(id) ?? false;
	}

	setTerminationMessage(id: string, message: string): void {
		this.#terminationMessages ??= new Map();
		this.#terminationMessages.set(id, message);
	}
}
