import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../core/clock.ts";
import type { AgentMessage, AgentOrder } from "./agent-protocol.ts";
import { nodeFlags } from "./launch.ts";
import { programFile } from "./package-files.ts";
import { agentMark } from "./processes.ts";

const firstRestartMs = 100;
const longestRestartMs = 10_000;
/** An agent that ran this long had started well: its next restart is quick again. */
const healthyMs = 60_000;
const stopMs = 5_000;

interface AgentOptions {
	/** The command that enters the node's namespaces. */
	enter: readonly [string, ...string[]];
	configFile: string;
	logFile: string;
	/** The cluster's data directory, the process's mark. */
	data: string;
	clock: Clock;
}

/** One node's agent, kept running: when it ends, it is started again. Pods do not notice. */
export class AgentProcess {
	readonly #options: AgentOptions;
	#child: ChildProcess | undefined;
	#stopped = false;
	#restartMs = firstRestartMs;
	limitations: readonly string[] = [];

	constructor(options: AgentOptions) {
		this.#options = options;
	}

	/** The process that entered the node's namespaces for the agent; its child is the agent itself. */
	get pid(): number | undefined {
		return this.#child?.pid;
	}

	/** Resolves when the agent says it is ready. @throws Error with the agent's own message when it cannot start */
	start(): Promise<void> {
		const { enter, configFile, logFile, data, clock } = this.#options;
		mkdirSync(dirname(logFile), { recursive: true });
		const log = openSync(logFile, "a", 0o600);
		const [program, ...args] = enter;
		const startedMs = clock.monotonicMs();
		const child = spawn(program, [...args, process.execPath, ...nodeFlags, programFile("agent"), configFile], {
			stdio: ["ignore", log, log, "ipc"],
			env: { ...process.env, [agentMark]: data },
		});
		closeSync(log);
		this.#child = child;
		child.once("exit", () => {
			this.#child = undefined;
			if (this.#stopped) return;
			if (clock.monotonicMs() - startedMs > healthyMs) this.#restartMs = firstRestartMs;
			clock.after(this.#restartMs, () => {
				// Its log says why; the node is NotReady until an attempt succeeds.
				if (!this.#stopped) this.start().catch(() => {});
			});
			this.#restartMs = Math.min(this.#restartMs * 2, longestRestartMs);
		});
		return new Promise((resolve, reject) => {
			child.once("error", reject);
			child.once("exit", (code, signal) =>
				reject(new Error(`the agent ended (${signal ?? `exit code ${code}`}) before it was ready; see ${logFile}`)),
			);
			child.on("message", (message: AgentMessage) => {
				if (message.type === "failed") return reject(new Error(message.message));
				this.limitations = message.limitations;
				resolve();
			});
		});
	}

	/** Asks the agent to end, and kills it when it does not. */
	async stop(): Promise<void> {
		this.#stopped = true;
		const child = this.#child;
		if (child === undefined) return;
		const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
		const order: AgentOrder = { type: "stop" };
		if (child.connected) child.send(order, () => {});
		const timer = this.#options.clock.after(stopMs, () => child.kill("SIGKILL"));
		await ended;
		timer.cancel();
	}
}
