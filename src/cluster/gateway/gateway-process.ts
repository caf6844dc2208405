/** Starts the gateway process (gateway-main.ts) when a port is published, and gives it orders. */
import type { ChildProcess } from "node:child_process";
import type { Socket as UdpSocket } from "node:dgram";
import type { Server } from "node:net";
import { spawnApart } from "../../linux/inherited.ts";
import type { PublishedPort } from "../../proxy/gateway/published-ports.ts";
import type { Target } from "../../proxy/gateway/target.ts";
import { agentMark, serverMark } from "../control/cluster-processes.ts";
import { nodeFlags, programFile } from "../files/package-files.ts";
import { bind } from "./bind.ts";
import type { GatewayOrder } from "./protocol.ts";

export interface GatewayOptions {
	/** The command that enters the network of the switch. */
	enter(): Promise<readonly [string, ...string[]]>;
	/** The cluster's data directory, which marks the process. */
	data: string;
	/** Called when the process has ended by itself: all ports are closed. */
	onEnd(): void;
}

export class GatewayProcess {
	readonly #options: GatewayOptions;
	#child: Promise<ChildProcess> | undefined;

	constructor(options: GatewayOptions) {
		this.#options = options;
	}

	/** @throws Error that says why the port cannot be opened */
	async open({ key, protocol, address, port, target }: PublishedPort): Promise<void> {
		await this.#pass({ do: "serve", key, protocol, target }, await bind(protocol, address, port));
	}

	/**
	 * Opens a SOCKS proxy into the cluster.
	 * @param dns address of the cluster's DNS
	 * @returns its port
	 * @throws Error that says why the port cannot be opened
	 */
	async openTunnel(address: string, port: number, dns: string): Promise<number> {
		const handle = await bind("TCP", address, port);
		const bound = handle.address();
		await this.#pass({ do: "tunnel", key: "tunnel", dns }, handle);
		return typeof bound === "object" && bound !== null ? bound.port : port;
	}

	async #pass(order: GatewayOrder, handle: Server | UdpSocket): Promise<void> {
		try {
			const child = await this.#running();
			await new Promise<void>((resolve, reject) =>
				child.send(order, handle, (error) => (error === null ? resolve() : reject(error))),
			);
		} finally {
			// The gateway has its own descriptor.
			handle.close();
		}
	}

	aim(key: string, target: Target): void {
		this.#tell({ do: "aim", key, target });
	}

	close(key: string): void {
		this.#tell({ do: "close", key });
	}

	/** Closes all ports. The process is started again when one is opened. */
	async stop(): Promise<void> {
		const starting = this.#child;
		this.#child = undefined;
		const child = await starting?.catch(() => undefined);
		if (child?.connected !== true) return;
		const ended = new Promise((resolve) => child.once("exit", resolve));
		// Of the agent's two processes, this reaches the one that matters.
		child.disconnect();
		await ended;
	}

	#tell(order: GatewayOrder): void {
		void this.#child?.then(
			(child) => child.connected && child.send(order, () => {}),
			() => {},
		);
	}

	#running(): Promise<ChildProcess> {
		if (this.#child !== undefined) return this.#child;
		const starting = this.#start();
		this.#child = starting;
		const ended = () => {
			if (this.#child !== starting) return;
			this.#child = undefined;
			this.#options.onEnd();
		};
		starting.then(
			(child) => child.once("exit", ended),
			() => {
				if (this.#child === starting) this.#child = undefined;
			},
		);
		return starting;
	}

	async #start(): Promise<ChildProcess> {
		const [program, ...args] = await this.#options.enter();
		const child = spawnApart(program, [...args, process.execPath, ...nodeFlags, programFile("gateway")], {
			stdio: ["ignore", "inherit", "inherit", "ipc"],
			env: { ...process.env, [serverMark]: undefined, [agentMark]: this.#options.data },
		});
		await new Promise<void>((resolve, reject) => {
			child.once("spawn", resolve);
			child.once("error", reject);
		});
		child.on("error", () => {});
		return child;
	}
}
