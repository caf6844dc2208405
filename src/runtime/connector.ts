/** Connections to ports inside the network namespaces of sandboxes. */
import { type ChildProcess, spawn } from "node:child_process";
import { connect as connectSocket, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { toolEnvironment } from "../linux/command.ts";

export interface ConnectTarget {
	/** Of the sandbox. */
	id: string;
	hostNetwork: boolean;
	/** A process in its network namespace. */
	pid: number;
}

/**
 * A process inside the sandbox's network namespace opens the connection and passes the socket to the agent, so that no
 * process relays the data. It is kept for further connections while the sandbox exists.
 */
export class Connector {
	readonly #relays = new Map<string, ChildProcess>();
	#sequence = 0;

	async connect(sandbox: ConnectTarget, port: number, signal: AbortSignal): Promise<Duplex> {
		signal.throwIfAborted();
		return sandbox.hostNetwork ? dial(port, signal) : this.#throughRelay(sandbox, port, signal);
	}

	forget(sandboxId: string): void {
		this.#relays.get(sandboxId)?.kill();
		this.#relays.delete(sandboxId);
	}

	close(): void {
		for (const id of [...this.#relays.keys()]) this.forget(id);
	}

	#relayOf(sandbox: ConnectTarget): ChildProcess {
		const known = this.#relays.get(sandbox.id);
		if (known?.connected) return known;
		const relay = spawn("nsenter", [`--target=${sandbox.pid}`, "--net", process.execPath, "-e", relayProgram], {
			cwd: "/",
			stdio: ["ignore", "ignore", "ignore", "ipc"],
			env: toolEnvironment,
			serialization: "json",
		});
		relay.unref();
		relay.channel?.unref();
		this.#relays.set(sandbox.id, relay);
		return relay;
	}

	#throughRelay(sandbox: ConnectTarget, port: number, signal: AbortSignal): Promise<Duplex> {
		const relay = this.#relayOf(sandbox);
		const id = ++this.#sequence;
		return new Promise((resolve, reject) => {
			const settle = () => {
				relay.off("message", answered);
				relay.off("exit", gone);
				signal.removeEventListener("abort", aborted);
				relay.channel?.unref();
			};
			const answered = (message: unknown, socket: unknown) => {
				// Written by the relay program below.
				const answer = message as { id: number; error?: string };
				if (answer.id !== id) return;
				settle();
				if (socket instanceof Socket) resolve(socket);
				else reject(new Error(answer.error ?? "no connection"));
			};
			const gone = () => {
				settle();
				reject(new Error(`the sandbox ${sandbox.id} cannot be reached`));
			};
			const aborted = () => {
				settle();
				reject(signal.reason);
			};
			relay.on("message", answered);
			relay.on("exit", gone);
			signal.addEventListener("abort", aborted, { once: true });
			relay.channel?.ref();
			relay.send({ id, port });
		});
	}
}

/** Connects to the loopback addresses, IPv4 first, as specified for `kubectl port-forward`. */
const relayProgram = `
const net = require("net");
process.on("disconnect", () => process.exit());
process.on("message", ({ id, port }) => {
	const dial = ([host, ...others]) => {
		const socket = net.connect({ host, port, allowHalfOpen: true, pauseOnConnect: true }, () => process.send({ id }, socket, { keepOpen: false }));
		socket.on("error", (error) => (others.length > 0 && error.code === "ECONNREFUSED" ? dial(others) : process.send({ id, error: error.message })));
	};
	dial(["127.0.0.1", "::1"]);
});`;

function dial(port: number, signal: AbortSignal): Promise<Duplex> {
	return new Promise((resolve, reject) => {
		const socket = connectSocket({ host: "127.0.0.1", port, allowHalfOpen: true, signal }, () => resolve(socket));
		socket.once("error", reject);
	});
}
