import type { ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock, Timer } from "../../core/time/clock.ts";
import { spawnApart } from "../../linux/inherited.ts";
import { childrenOf, identify, killAll } from "../../linux/processes.ts";
import type { PullFunction } from "../../runtime/process/images/image-service.ts";
import { agentMark, serverMark } from "../control/cluster-processes.ts";
import { nodeFlags, programFile } from "../files/package-files.ts";
import { codeFolder, folderVariable } from "../programs/compiled-code.ts";
import type { AgentMessage, AgentOrder, AgentTokens } from "./agent-protocol.ts";

const firstRestartMs = 100;
const longestRestartMs = 10_000;
/** An agent that ran for this long had started successfully: its next restart is immediate. */
const healthyMs = 60_000;
const stopMs = 5_000;

interface AgentOptions {
	/**
	 * Ensures that the node's namespaces exist.
	 * @returns the command that enters them
	 */
	enter(): Promise<readonly [string, ...string[]]>;
	configFile: string;
	tokens: AgentTokens;
	logFile: string;
	/** The cluster's data directory, which marks the process. */
	data: string;
	clock: Clock;
	/** Pulls an image for the node. */
	pull: PullFunction;
	/** Never rejects. */
	removeUnusedImages(): Promise<void>;
	/**
	 * Fulfilled when the API server answers. Called after the agent's process was started, which loads in the meantime.
	 */
	apiAnswers(): Promise<unknown>;
}

/** One node's agent process, which is restarted when it ends. Pods are not affected. */
export class AgentProcess {
	readonly #options: AgentOptions;
	/** The process that entered the node's namespaces; its child is the agent itself. */
	#child: ChildProcess | undefined;
	/** Resolves when the agent that is starting or running was ready. Shared by all callers. */
	#started: Promise<void> | undefined;
	#nextStart: Timer | undefined;
	#stopped = false;
	#restartMs = firstRestartMs;
	limitations: readonly string[] = [];

	constructor(options: AgentOptions) {
		this.#options = options;
	}

	get pid(): number | undefined {
		const outer = this.#child?.pid;
		return outer === undefined ? undefined : (childrenOf(outer)[0]?.pid ?? outer);
	}

	/**
	 * Resolves when the agent reports that it is ready; starts it if it is not running.
	 * @throws Error with the agent's own message if it cannot start
	 */
	start(): Promise<void> {
		if (this.#started !== undefined) return this.#started;
		this.#nextStart?.cancel();
		const started = this.#start();
		this.#started = started;
		// If no process was started, none will report its end.
		started.catch(() => this.#child === undefined && this.#ended(started));
		return started;
	}

	/** @param pulls of this agent, by ID, to be cancelled */
	async #pull(
		child: ChildProcess,
		pulls: Map<number, AbortController>,
		{ id, wish }: Extract<AgentMessage, { type: "pull" }>,
	): Promise<void> {
		const cancel = new AbortController();
		pulls.set(id, cancel);
		const order: AgentOrder = { type: "pulled", id, result: await this.#options.pull(wish, cancel.signal) };
		pulls.delete(id);
		if (child.connected) child.send(order, () => {});
	}

	async #removeUnusedImages(child: ChildProcess, id: number): Promise<void> {
		await this.#options.removeUnusedImages();
		const order: AgentOrder = { type: "pulled", id, result: { ok: true } };
		if (child.connected) child.send(order, () => {});
	}

	/** Kills it immediately and restarts it. */
	async restart(): Promise<void> {
		await this.#kill();
		await this.start();
	}

	async #start(): Promise<void> {
		const { configFile, tokens, logFile, data, clock, enter, apiAnswers } = this.#options;
		mkdirSync(dirname(logFile), { recursive: true });
		const [program, ...args] = await enter();
		if (this.#stopped) throw new Error("the node is being stopped");
		const log = openSync(logFile, "a", 0o600);
		const startedMs = clock.monotonicMs();
		const command = [...args, process.execPath, ...nodeFlags, programFile("agent"), configFile];
		// An agent without root has another user in its namespaces, and would look elsewhere.
		const code = { [folderVariable]: codeFolder() ?? "" };
		const env = { ...process.env, ...code, [serverMark]: undefined, [agentMark]: data };
		// Without the descriptors of the store, which the server has open.
		const child = spawnApart(program, command, { stdio: ["ignore", log, log, "ipc"], env });
		closeSync(log);
		this.#child = child;
		const pulls = new Map<number, AbortController>();
		child.once("exit", () => {
			for (const pull of pulls.values()) pull.abort();
			// If the agent itself is still running, it ends now.
			if (child.connected) child.disconnect();
			this.#child = undefined;
			if (clock.monotonicMs() - startedMs > healthyMs) this.#restartMs = firstRestartMs;
			this.#ended(this.#started);
		});
		const order: AgentOrder = { type: "start", tokens };
		// An agent that cannot be reached has ended, which is handled below.
		const begun = apiAnswers().then(() => child.send(order, () => {}));
		const ready = new Promise<void>((resolve, reject) => {
			child.once("error", reject);
			child.once("exit", (code, signal) =>
				reject(new Error(`the agent ended (${signal ?? `exit code ${code}`}) before it was ready; see ${logFile}`)),
			);
			child.on("message", (message: AgentMessage) => {
				if (message.type === "failed") return reject(new Error(message.message));
				if (message.type === "pull") return void this.#pull(child, pulls, message);
				if (message.type === "removeUnusedImages") return void this.#removeUnusedImages(child, message.id);
				if (message.type === "cancelPull") return pulls.get(message.id)?.abort();
				if (message.type === "shutDown") return;
				this.limitations = message.limitations;
				resolve();
			});
		});
		await Promise.all([begun, ready]);
	}

	/** @param started the start that failed, or whose agent has ended; handled once */
	#ended(started: Promise<void> | undefined): void {
		if (started === undefined || this.#started !== started) return;
		this.#started = undefined;
		if (this.#stopped) return;
		// Its log shows the reason; the node is NotReady until an attempt succeeds.
		this.#nextStart = this.#options.clock.after(this.#restartMs, () => this.start().catch(() => {}));
		this.#restartMs = Math.min(this.#restartMs * 2, longestRestartMs);
	}

	/**
	 * Has the agent end all pods of the node.
	 * @param longestMs when the pods are given up
	 */
	async shutDown(longestMs: number): Promise<void> {
		const child = this.#child;
		if (child === undefined || !child.connected) return;
		const order: AgentOrder = { type: "shutDown" };
		const late = new AbortController();
		const done = new Promise<void>((resolve) => {
			child.once("exit", () => resolve());
			child.on("message", (message: AgentMessage) => message.type === "shutDown" && resolve());
		});
		child.send(order, () => {});
		await Promise.race([done, this.#options.clock.sleep(longestMs, late.signal).catch(() => {})]);
		late.abort();
	}

	/** Asks the agent to end, and kills it if it does not. */
	async stop(): Promise<void> {
		this.#stopped = true;
		this.#nextStart?.cancel();
		const child = this.#child;
		if (child === undefined) return;
		const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
		const order: AgentOrder = { type: "stop" };
		if (child.connected) child.send(order, () => {});
		const timer = this.#options.clock.after(stopMs, () => void this.#kill());
		await ended;
		timer.cancel();
	}

	async #kill(): Promise<void> {
		const child = this.#child;
		if (child?.pid === undefined) return;
		const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
		const outer = identify(child.pid);
		if (outer !== undefined) await killAll([...childrenOf(outer.pid), outer], this.#options.clock);
		await ended;
	}
}
