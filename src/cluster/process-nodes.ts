import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { Clock } from "../core/clock.ts";
import type { User } from "../core/exchange.ts";
import { createMachine, type Machine } from "../network/machine.ts";
import { serviceAddress } from "./addresses.ts";
import { AgentProcess } from "./agent-process.ts";
import type { AgentConfig } from "./agent-protocol.ts";
import type { Layout } from "./layout.ts";
import type { NodePool, PoolNode } from "./node-pool.ts";
import { packageDirectory } from "./package-files.ts";

export interface ProcessNodesOptions {
	layout: Layout;
	clock: Clock;
	clusterCidr: string;
	serviceCidr: string;
	/** From now on this token stands for this user. */
	grantToken(token: string, user: User): void;
}

/** Nodes as namespaces of this machine, each with an agent process. @throws Error that says what the machine lacks */
export async function createProcessNodes(options: ProcessNodesOptions): Promise<NodePool> {
	const machine = await openMachine(options.layout, options.clock);
	if (machine.problems.length > 0) throw new Error(machine.problems.join("; "));
	return new ProcessNodes(options, machine);
}

/** Ends what is left of the cluster's nodes, whoever started them. Returns how many there were. */
export async function removeMachine(layout: Layout, clock: Clock): Promise<number> {
	const machine = await openMachine(layout, clock);
	const count = machine.nodes().length;
	await machine.destroy();
	return count;
}

function openMachine(layout: Layout, clock: Clock): Promise<Machine> {
	return createMachine({ directory: layout.data, clock });
}

class ProcessNodes implements NodePool {
	readonly #options: ProcessNodesOptions;
	readonly #machine: Machine;
	readonly #agents = new Map<string, AgentProcess>();

	constructor(options: ProcessNodesOptions, machine: Machine) {
		this.#options = options;
		this.#machine = machine;
	}

	get mode(): "root" | "rootless" {
		return this.#machine.mode;
	}

	async add(node: PoolNode): Promise<void> {
		const { layout, clock } = this.#options;
		const files = layout.node(node.name);
		const holder = await this.#machine.addNode({ ...node, rootDirectory: files.directory });
		const token = randomBytes(32).toString("hex");
		this.#options.grantToken(token, {
			name: `system:node:${node.name}`,
			groups: ["system:nodes", "system:authenticated"],
		});
		const config: AgentConfig = {
			node: node.name,
			address: node.address,
			podCidr: node.podCidr,
			labels: { ...node.labels },
			clusterCidr: this.#options.clusterCidr,
			serviceCidr: this.#options.serviceCidr,
			clusterDns: serviceAddress(this.#options.serviceCidr, 10),
			data: layout.data,
			directory: files.directory,
			viewDirectory: holder.viewDirectory,
			scratchDirectory: holder.scratchDirectory,
			cgroup: holder.cgroup,
			imagesFile: layout.images,
			standIns: join(packageDirectory, "assets/stand-ins"),
			apiSocket: layout.apiSocket,
			apiTlsSocket: layout.apiTlsSocket,
			agentSocket: files.agentSocket,
			token,
		};
		mkdirSync(files.directory, { recursive: true, mode: 0o700 });
		writeFileSync(files.config, JSON.stringify(config), { mode: 0o600 });
		const agent = new AgentProcess({
			enter: holder.enterArguments(),
			configFile: files.config,
			logFile: files.log,
			data: layout.data,
			clock,
		});
		this.#agents.set(node.name, agent);
		await agent.start();
	}

	async remove(name: string): Promise<void> {
		await this.#agents.get(name)?.stop();
		this.#agents.delete(name);
		await this.#machine.removeNode(name);
		rmSync(this.#options.layout.node(name).directory, { recursive: true, force: true });
	}

	dial(name: string): Promise<Duplex> {
		return new Promise((resolve, reject) => {
			const socket = connect(this.#options.layout.node(name).agentSocket, () => {
				socket.off("error", reject);
				resolve(socket);
			});
			socket.once("error", reject);
		});
	}

	agentPid(name: string): number | undefined {
		return this.#agents.get(name)?.pid;
	}

	limitations(name: string): readonly string[] {
		return this.#agents.get(name)?.limitations ?? [];
	}

	async stop(): Promise<void> {
		await Promise.all([...this.#agents.values()].map((agent) => agent.stop()));
		await this.#machine.destroy();
	}
}
