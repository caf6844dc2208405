/** What the runtime has of one node. Details that do not change any more are asked for once. */
import type { Container, ContainerConfig, Sandbox, SandboxConfig } from "../runtime.ts";
import type { SeenState } from "./changes.ts";
import { containerRecord, ownerLabel, sandboxOf, sandboxRecord } from "./config.ts";
import type { CriClient } from "./wire/client.ts";
import { containerState, sandboxReady } from "./wire/messages.ts";
import { methods } from "./wire/methods.ts";

interface SandboxDetails {
	config: SandboxConfig;
	pid: number | undefined;
}

interface ContainerDetails {
	/** Of `containerState`, when it was asked for. */
	state: number;
	container: Container;
}

const millisecond = 1e6;

export class Listing {
	readonly #client: CriClient;
	readonly labels: Readonly<Record<string, string>>;
	readonly #sandboxes = new Map<string, SandboxDetails>();
	readonly #containers = new Map<string, ContainerDetails>();

	/** @param owner value of the label of everything that belongs to the node */
	constructor(client: CriClient, owner: string) {
		this.#client = client;
		this.labels = { [ownerLabel]: owner };
	}

	async sandboxes(): Promise<Sandbox[]> {
		const { items } = await this.#client.call(methods.listSandboxes, { filter: { labelSelector: this.labels } });
		for (const id of this.#sandboxes.keys()) if (!items.some((item) => item.id === id)) this.#sandboxes.delete(id);
		const found = items.map(async ({ id = "", state, createdAt = 0, annotations = {} }) => {
			const isReady = state === sandboxReady;
			const details = await this.#sandboxDetails(id, annotations, isReady);
			if (details === undefined) return [];
			const { config, pid } = details;
			return [sandboxOf(id, config, { isReady, createdAtMs: createdAt / millisecond, pid })];
		});
		return (await Promise.all(found)).flat();
	}

	async containers(): Promise<Container[]> {
		const filter = { labelSelector: this.labels };
		const { containers } = await this.#client.call(methods.listContainers, { filter });
		for (const id of this.#containers.keys())
			if (!containers.some((item) => item.id === id)) this.#containers.delete(id);
		const found = containers.map(async ({ id = "", podSandboxId = "", state = 0, annotations = {} }) => {
			const known = this.#containers.get(id);
			if (known?.state === state) return [known.container];
			const config = known?.container.config ?? containerRecord(annotations);
			if (config === undefined) return [];
			const container = await this.#ask(id, podSandboxId, config);
			return container === undefined ? [] : [container];
		});
		return (await Promise.all(found)).flat();
	}

	/** The state of everything, with few questions. */
	async states(): Promise<Map<string, SeenState>> {
		const filter = { labelSelector: this.labels };
		const [{ items }, { containers }] = await Promise.all([
			this.#client.call(methods.listSandboxes, { filter }),
			this.#client.call(methods.listContainers, { filter }),
		]);
		const podOf = new Map(items.map(({ id, metadata }) => [id, metadata?.uid ?? ""]));
		const states = new Map<string, SeenState>();
		for (const { id = "", state } of items)
			states.set(id, { isOver: state !== sandboxReady, podUid: podOf.get(id) ?? "" });
		for (const { id = "", state, podSandboxId } of containers)
			states.set(id, { isOver: isOver(state), podUid: podOf.get(podSandboxId) ?? "" });
		return states;
	}

	/** The container's state now; undefined if it does not exist. */
	async #ask(id: string, sandboxId: string, config: ContainerConfig): Promise<Container | undefined> {
		const answer = await this.#client.call(methods.containerStatus, { containerId: id }).catch((error: unknown) => {
			if (isGone(error)) return undefined;
			throw error;
		});
		const status = answer?.status;
		if (status === undefined) return undefined;
		const { state = 0, createdAt = 0, startedAt = 0, finishedAt = 0, exitCode = 0, reason = "", message = "" } = status;
		const container: Container = {
			id,
			sandboxId,
			config,
			imageId: config.imageId ?? status.imageRef ?? "",
			state: isOver(state) ? "exited" : state === containerState.running ? "running" : "created",
			createdAtMs: createdAt / millisecond,
			...(startedAt > 0 ? { startedAtMs: startedAt / millisecond } : {}),
			...(isOver(state)
				? {
						finishedAtMs: Math.max(finishedAt, startedAt, createdAt) / millisecond,
						exitCode: state === containerState.unknown ? unknownExit : exitCode,
						reason: reason || (exitCode === 0 ? "Completed" : "Error"),
						...(message === "" ? {} : { message }),
					}
				: {}),
		};
		this.#containers.set(id, { state, container });
		return container;
	}

	async #sandboxDetails(
		id: string,
		annotations: Readonly<Record<string, string>>,
		isReady: boolean,
	): Promise<SandboxDetails | undefined> {
		const known = this.#sandboxes.get(id);
		if (known !== undefined) return known;
		const config = sandboxRecord(annotations);
		if (config === undefined) return undefined;
		const details = { config, pid: isReady ? await this.#pid(id) : undefined };
		if (details.pid !== undefined) this.#sandboxes.set(id, details);
		return details;
	}

	/** The first process of a sandbox, which containerd and CRI-O tell when they are asked for everything. */
	async #pid(id: string): Promise<number | undefined> {
		const asked = this.#client.call(methods.sandboxStatus, { podSandboxId: id, verbose: true });
		const { info = {} } = await asked.catch(() => ({ info: {} }));
		try {
			const { pid } = JSON.parse(info["info"] ?? "{}") as { pid?: unknown };
			return typeof pid === "number" && pid > 0 ? pid : undefined;
		} catch {
			return undefined;
		}
	}
}

/** Of a container whose end the runtime did not see. */
const unknownExit = 137;

function isOver(state: number | undefined): boolean {
	return state === containerState.exited || state === containerState.unknown;
}

function isGone(error: unknown): boolean {
	return error instanceof Error && "isNotFound" in error && error.isNotFound === true;
}
