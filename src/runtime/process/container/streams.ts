/** Sessions with a container: exec, attach, and connections to its ports. */
import { type ChildProcess, spawn } from "node:child_process";
import { connect as connectSocket, Socket } from "node:net";
import { type Duplex, PassThrough, type Readable } from "node:stream";
import { toolEnvironment } from "../../../linux/command.ts";
import type { ExecOptions, ExecSession } from "../../runtime.ts";
import { windowSize } from "../launcher/window-size.ts";
import type { ProcessContainer } from "./container.ts";
import type { ProcessSandbox } from "./sandbox.ts";

/** @param launcher the program that carries out the plan */
export async function exec(
	launcher: string,
	container: ProcessContainer,
	{ command, tty, stdin, signal }: ExecOptions,
): Promise<ExecSession> {
	if (command.length === 0) throw new Error("no command given");
	const plan = container.writeExecPlan(command, tty);
	// In a process group of its own, so that the end of the session also ends the processes inside.
	const child = spawn(launcher, [plan], {
		detached: true,
		cwd: "/",
		// With a terminal, all output is on one stream, and its sizes are sent over the last descriptor.
		stdio: tty ? ["pipe", "pipe", "ignore", "pipe"] : [stdin ? "pipe" : "ignore", "pipe", "pipe"],
		env: {},
	});
	const abort = () => killGroup(child);
	signal.addEventListener("abort", abort, { once: true });
	if (signal.aborted) abort();
	// Programs may exit without reading their input.
	child.stdin?.on("error", () => {});
	const sizes = child.stdio[3];
	sizes?.on("error", () => {});
	return {
		...(child.stdin === null || !stdin ? {} : { stdin: child.stdin }),
		stdout: present(child.stdout),
		...(child.stderr === null ? {} : { stderr: child.stderr }),
		resize(columns, rows) {
			if (sizes instanceof Socket && columns > 0 && rows > 0) sizes.write(windowSize(columns, rows));
		},
		exitCode: new Promise((resolve, reject) => {
			child.on("error", reject);
			child.on("close", (code) => {
				signal.removeEventListener("abort", abort);
				resolve(code ?? 137);
			});
		}),
	};
}

export function attach(container: ProcessContainer, options: { stdin: boolean; signal: AbortSignal }): ExecSession {
	const { config } = container.describe();
	const outputs = { stdout: new PassThrough(), stderr: new PassThrough() };
	const untap = container.tap((stream, chunk) => outputs[stream].write(chunk));
	const finish = () => {
		untap();
		outputs.stdout.end();
		outputs.stderr.end();
	};
	const aborted = new Promise<void>((resolve) => {
		if (options.signal.aborted) resolve();
		options.signal.addEventListener("abort", () => resolve(), { once: true });
	});
	const stdin = options.stdin && config.stdin ? openInput(container, config.stdinOnce) : undefined;
	// After the end of its input, a client keeps receiving output only if the container sees that end, too.
	const isOver = new Promise<void>((resolve) => {
		if (!config.stdinOnce || config.tty) stdin?.once("close", resolve);
	});
	const exitCode = Promise.race([container.ended, aborted, isOver]).then(() => {
		finish();
		return container.describe().exitCode ?? 0;
	});
	return {
		...(stdin === undefined ? {} : { stdin }),
		stdout: outputs.stdout,
		...(config.tty ? {} : { stderr: outputs.stderr }),
		resize(columns, rows) {
			if (columns > 0 && rows > 0) container.resize(columns, rows);
		},
		exitCode,
	};
}

function openInput(container: ProcessContainer, once: boolean): Socket {
	const input = new Socket({ fd: container.openInput(), readable: false, writable: true });
	input.on("error", () => {});
	input.on("close", () => {
		if (once) container.endInput();
	});
	// A FIFO cannot be half-closed: its end is its close.
	input.on("finish", () => input.destroy());
	return input;
}

/**
 * A process inside the sandbox's network namespace opens the connection and passes the socket to the agent, so that no
 * process relays the data. It is kept for further connections while the sandbox exists.
 */
export class Connector {
	readonly #relays = new Map<string, ChildProcess>();
	#sequence = 0;

	async connect(sandbox: ProcessSandbox, port: number, signal: AbortSignal): Promise<Duplex> {
		signal.throwIfAborted();
		return sandbox.config.hostNetwork ? dial(port, signal) : this.#throughRelay(sandbox, port, signal);
	}

	forget(sandboxId: string): void {
		this.#relays.get(sandboxId)?.kill();
		this.#relays.delete(sandboxId);
	}

	close(): void {
		for (const id of [...this.#relays.keys()]) this.forget(id);
	}

	#relayOf(sandbox: ProcessSandbox): ChildProcess {
		const known = this.#relays.get(sandbox.id);
		if (known?.connected) return known;
		const relay = spawn("nsenter", [`--target=${sandbox.holderPid}`, "--net", process.execPath, "-e", relayProgram], {
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

	#throughRelay(sandbox: ProcessSandbox, port: number, signal: AbortSignal): Promise<Duplex> {
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

function killGroup(child: ChildProcess): void {
	if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
	try {
		process.kill(-child.pid, "SIGKILL");
	} catch {
		// It has ended in the meantime.
	}
}

function present(stream: Readable | null): Readable {
	if (stream === null) throw new Error("a pipe was asked for and not made");
	return stream;
}
