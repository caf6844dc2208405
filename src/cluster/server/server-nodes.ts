/** The nodes of the server: started, added and removed, with what the settings remember of them. */
import type { Client } from "../../client/client.ts";
import { waitFor } from "../../client/wait.ts";
import { isReason } from "../../core/errors.ts";
import type { Clock } from "../../core/time/clock.ts";
import { isNodeReady, nodes } from "../../kinds/core/node.ts";
import type { Node } from "../../kinds/generated/types.ts";
import type { AddNodes, NodeStatus } from "../control/control-protocol.ts";
import { addNode } from "../nodes/node-labels.ts";
import { planNodes, poolNode } from "../nodes/node-numbering.ts";
import type { NodePool } from "../nodes/node-pool.ts";
import type { Settings } from "../settings/settings.ts";

interface ServerNodesOptions {
	settings: Settings;
	/** Writes the settings. */
	save(): void;
	clock: Clock;
	/** Undefined before nodes are started. */
	pool(): NodePool | undefined;
	/** @throws Error while the cluster is starting */
	client(): Promise<Client>;
	/** @param node undefined when it is not known */
	status(name: string, node: Node | undefined): NodeStatus;
}

/** How long nodes may take to become Ready before `cox up` gives up. */
export const readyLimitMs = 60_000;

export class ServerNodes {
	readonly #options: ServerNodesOptions;

	constructor(options: ServerNodesOptions) {
		this.#options = options;
	}

	get names(): string[] {
		return Object.keys(this.#options.settings.nodes);
	}

	/** Resolves when the node is Ready. */
	async start(name: string): Promise<NodeStatus> {
		const { settings, client, status } = this.#options;
		const node = settings.nodes[name];
		const pool = this.#options.pool();
		if (node === undefined || pool === undefined) throw new Error(`node ${name} is not known`);
		await addNode(pool, client, poolNode(name, node));
		const signal = AbortSignal.timeout(readyLimitMs);
		return status(name, await waitFor(await client(), nodes, { name }, isNodeReady, { signal }));
	}

	/** Resolves when the new nodes are Ready. */
	async add(request: AddNodes): Promise<NodeStatus[]> {
		const names = planNodes(this.#options.settings, request);
		this.#options.save();
		return Promise.all(names.map((name) => this.#startNew(name)));
	}

	/** A node that could not be registered is not kept: it would prevent the next start. */
	async #startNew(name: string): Promise<NodeStatus> {
		try {
			return await this.start(name);
		} catch (error) {
			const client = await this.#options.client();
			const isMissing = await client.get(nodes, { name }).then(
				() => false,
				(failure: unknown) => isReason(failure, "NotFound"),
			);
			if (isMissing) {
				await this.#options.pool()?.remove(name);
				this.#forget(name);
			}
			throw error;
		}
	}

	/** @returns its last status */
	async remove(name: string): Promise<NodeStatus> {
		const { settings, pool, client, clock, status } = this.#options;
		if (settings.nodes[name] === undefined) throw new Error(`there is no node ${name} on this machine`);
		const last = status(name, undefined);
		await pool()?.remove(name);
		const { forgetNode } = await import("../nodes/lost-node.ts");
		await forgetNode(await client(), name, clock.now());
		this.#forget(name);
		return last;
	}

	/** Resolves when every node is Ready, and those that had ended are recreated. */
	async ready(): Promise<void> {
		const client = await this.#options.client();
		await this.#options.pool()?.repair?.();
		const signal = AbortSignal.timeout(readyLimitMs);
		for (const name of this.names) await waitFor(client, nodes, { name }, isNodeReady, { signal });
	}

	#forget(name: string): void {
		delete this.#options.settings.nodes[name];
		this.#options.save();
	}
}
