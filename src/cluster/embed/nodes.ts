/** The nodes of an embedded cluster. */
import type { Client } from "../../client/client.ts";
import { isReason } from "../../core/errors.ts";
import { nodes } from "../../kinds/core/node.ts";
import type { Node } from "../../kinds/generated/types.ts";
import { addNode } from "../nodes/node-labels.ts";
import { planNodes, poolNode } from "../nodes/node-numbering.ts";
import type { NodePool, PoolNode } from "../nodes/node-pool.ts";
import type { Settings } from "../settings/settings.ts";
import type { NodeOptions } from "./options.ts";

export interface ClusterNodes {
	/** Names of the cluster's nodes, in the order of their creation. */
	readonly names: readonly string[];
	/** Adds a node; resolves when it is Ready. */
	add(node?: NodeOptions): Promise<Node>;
	/** Removes the node, its Node object and its pods. */
	remove(name: string): Promise<void>;
	/**
	 * Simulated nodes: simulates a power failure. The Node object remains; the cluster detects it when the node has not
	 * reported for too long.
	 */
	crash(name: string): Promise<void>;
	/** Restarts a crashed node, like a reboot of the machine: nothing is running on it yet. Resolves when it is Ready. */
	restart(name: string): Promise<Node>;
}

export interface NodesParts {
	client: Client;
	pool: NodePool;
	runtime: "simulated" | "process";
	clusterCidr: string;
	/** Resolves when the node is Ready. */
	ready(name: string): Promise<Node>;
	/** Nodes to go on with. */
	saved?: SavedSpecs | undefined;
}

/** The nodes of a cluster, without what they run. */
export interface SavedSpecs {
	readonly numbers: Settings["nodes"];
	readonly specs: ReadonlyMap<string, PoolNode>;
	readonly crashed: ReadonlySet<string>;
}

export class EmbeddedNodes implements ClusterNodes {
	readonly #parts: NodesParts;
	/** Numbers the nodes; not persisted. */
	readonly #settings: Pick<Settings, "clusterCidr" | "nodes">;
	readonly #specs: Map<string, PoolNode>;
	readonly #crashed: Set<string>;

	constructor(parts: NodesParts) {
		this.#parts = parts;
		const { saved, clusterCidr } = parts;
		this.#settings = { clusterCidr, nodes: { ...saved?.numbers } };
		this.#specs = new Map(saved?.specs);
		this.#crashed = new Set(saved?.crashed);
	}

	get names(): readonly string[] {
		return [...this.#specs.keys()];
	}

	async add(node: NodeOptions = {}): Promise<Node> {
		const name = await this.start(node);
		return this.#parts.ready(name);
	}

	/** Like `add`, but does not wait until the node is Ready. */
	async start({ name, labels, taints, capacity }: NodeOptions): Promise<string> {
		if (this.#parts.runtime === "process" && (taints !== undefined || capacity !== undefined))
			throw new Error(
				"taints and capacity can be chosen for simulated nodes only: a real one has what its machine has",
			);
		const [planned = ""] = planNodes(this.#settings, {
			...(name === undefined ? { count: 1 } : { names: [name] }),
			...(labels === undefined ? {} : { labels: { ...labels } }),
		});
		const settings = this.#settings.nodes[planned];
		if (settings === undefined) throw new Error(`node ${planned} was not planned`);
		const spec: PoolNode = {
			...poolNode(planned, settings),
			...(taints === undefined ? {} : { taints }),
			...(capacity === undefined ? {} : { capacity }),
		};
		this.#specs.set(planned, spec);
		await addNode(this.#parts.pool, () => this.#parts.client, spec);
		return planned;
	}

	save(): SavedSpecs {
		return { numbers: { ...this.#settings.nodes }, specs: new Map(this.#specs), crashed: new Set(this.#crashed) };
	}

	/** Starts the nodes that it was created with, except those that have crashed. */
	async resume(): Promise<void> {
		const running = [...this.#specs.values()].filter(({ name }) => !this.#crashed.has(name));
		await Promise.all(running.map((spec) => this.#parts.pool.add(spec)));
	}

	async remove(name: string): Promise<void> {
		this.#spec(name);
		if (!this.#crashed.delete(name)) await this.#parts.pool.remove(name);
		this.#specs.delete(name);
		delete this.#settings.nodes[name];
		try {
			await this.#parts.client.delete(nodes, { name });
		} catch (error) {
			if (!isReason(error, "NotFound")) throw error;
		}
	}

	async crash(name: string): Promise<void> {
		this.#spec(name);
		if (this.#parts.runtime === "process") throw new Error("only simulated nodes can crash");
		if (this.#crashed.has(name)) throw new Error(`node ${name} has crashed already`);
		this.#crashed.add(name);
		await this.#parts.pool.remove(name);
	}

	async restart(name: string): Promise<Node> {
		const spec = this.#spec(name);
		if (!this.#crashed.delete(name)) throw new Error(`node ${name} has not crashed`);
		await addNode(this.#parts.pool, () => this.#parts.client, spec);
		return this.#parts.ready(name);
	}

	#spec(name: string): PoolNode {
		const spec = this.#specs.get(name);
		if (spec === undefined) throw new Error(`there is no node ${name}; there are ${this.names.join(", ")}`);
		return spec;
	}
}
