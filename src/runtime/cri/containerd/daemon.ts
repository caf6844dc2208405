/** The process of a private containerd. It outlives the agent, and ends with its node. */
import { spawn } from "node:child_process";
import { chmodSync, closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { inTurn } from "../../../core/in-turn.ts";
import type { Clock } from "../../../core/time/clock.ts";
import { toolEnvironment } from "../../../linux/command.ts";
import { readIfThere } from "../../../linux/if-there.ts";
import { identify, isAlive, killAndWait, type ProcessId } from "../../../linux/processes.ts";
import { replaceFile } from "../../../linux/replace-file.ts";
import { canHoldUpper } from "../../../linux/rootview.ts";
import { readMounts } from "../../../linux/rootview-files.ts";
import { CriClient } from "../wire/client.ts";
import { methods } from "../wire/methods.ts";
import {
	type ContainerdPaths,
	configuration,
	containerdPaths,
	networkConfiguration,
	networkPlugin,
	pluginNames,
	volatileDirectory,
} from "./files.ts";
import { pauseImage } from "./pause-image.ts";

export interface DaemonOptions {
	clock: Clock;
	/** Absolute path of its lasting files. */
	directory: string;
	/** Absolute path, short enough for a socket. */
	socket: string;
	/** The command that enters the namespaces in which it is to run. Default: this process's. */
	enter?: readonly string[];
}

const startLimitMs = 60_000;
const lookMs = 20;
/** An answer takes a millisecond. */
const answerMs = 5000;

export class Daemon {
	readonly paths: ContainerdPaths;
	readonly #options: DaemonOptions;
	readonly #inTurn = inTurn();

	constructor(options: DaemonOptions) {
		this.#options = options;
		this.paths = containerdPaths(options.directory, options.socket);
	}

	/**
	 * Starts it unless it answers: one that an earlier agent has started goes on.
	 * @throws Error with its own words if it does not start
	 */
	ensure(): Promise<void> {
		return this.#inTurn(async () => {
			if (this.#process() !== undefined && (await this.#answers())) return;
			await this.stop();
			await this.#start();
		});
	}

	/** Its containers go on. */
	async stop(): Promise<void> {
		const running = this.#process();
		if (running !== undefined) await killAndWait(running, this.#options.clock);
	}

	get #recordFile(): string {
		return `${this.#options.directory}/process.json`;
	}

	get #logFile(): string {
		return `${this.#options.directory}/containerd.log`;
	}

	#process(): ProcessId | undefined {
		const text = readIfThere(this.#recordFile);
		if (text === undefined) return undefined;
		// Written by #start.
		const process = JSON.parse(text) as ProcessId;
		return isAlive(process) ? process : undefined;
	}

	async #start(): Promise<void> {
		const { clock, enter = [] } = this.#options;
		const configFile = this.#writeFiles();
		// Each start begins a new log: what was before is of no use.
		const log = openSync(this.#logFile, "w", 0o600);
		const isMounted = `grep -q " ${volatileDirectory} " /proc/self/mountinfo`;
		const mount = `mount -t tmpfs -o mode=711,nosuid,nodev tmpfs ${volatileDirectory}`;
		const script = `mkdir -p ${volatileDirectory} && { ${isMounted} || ${mount}; } && exec containerd --config "$0"`;
		const [program = "sh", ...args] = [...enter, "sh", "-c", script, configFile];
		// Logs of containers have the time zone of the process that writes them.
		const env = { ...toolEnvironment, TZ: "UTC" };
		const child = spawn(program, args, { detached: true, cwd: "/", stdio: ["ignore", log, log], env });
		closeSync(log);
		let failure: string | undefined;
		child.once("error", (error) => {
			failure = error.message;
		});
		child.once("exit", (code, signal) => {
			failure ??= this.#lastWords() || `exit ${signal ?? code}`;
		});
		child.unref();
		const started = child.pid === undefined ? undefined : identify(child.pid);
		if (started !== undefined) replaceFile(this.#recordFile, JSON.stringify(started));
		const deadlineMs = clock.monotonicMs() + startLimitMs;
		while (!(await this.#answers())) {
			if (clock.monotonicMs() > deadlineMs) failure ??= `it does not answer; see ${this.#logFile}`;
			if (failure !== undefined) throw new Error(`containerd does not start: ${failure}`);
			await clock.sleep(lookMs);
		}
	}

	#lastWords(): string {
		const lines = (readIfThere(this.#logFile) ?? "").trim().split("\n");
		return lines.at(-1) ?? "";
	}

	/** @returns the path of the configuration */
	#writeFiles(): string {
		const { directory, socket } = this.#options;
		const { root, plugins, networks, registries } = this.paths;
		for (const folder of [root, plugins, networks, `${registries}/_default`])
			mkdirSync(folder, { recursive: true, mode: 0o711 });
		mkdirSync(dirname(socket), { recursive: true, mode: 0o700 });
		writeFileSync(`${networks}/10-coxswain.conflist`, networkConfiguration);
		for (const name of pluginNames) {
			writeFileSync(`${plugins}/${name}`, networkPlugin);
			chmodSync(`${plugins}/${name}`, 0o755);
		}
		const configFile = `${directory}/config.toml`;
		const snapshotter = canHoldUpper(readMounts(), directory) ? "overlayfs" : "native";
		writeFileSync(
			configFile,
			configuration(this.paths, { snapshotter, pauseImage, mayLowerOomScore: mayLowerOomScore() }),
		);
		return configFile;
	}

	async #answers(): Promise<boolean> {
		const client = new CriClient(this.paths.socket, this.#options.clock);
		try {
			await client.call(methods.version, {}, { timeoutMs: answerMs });
			return true;
		} catch {
			return false;
		} finally {
			client.close();
		}
	}
}

/** CAP_SYS_RESOURCE, which root in a container or sandbox often lacks. */
function mayLowerOomScore(): boolean {
	const effective = /^CapEff:\s*(\S+)/m.exec(readIfThere("/proc/self/status") ?? "")?.[1] ?? "0";
	return ((BigInt(`0x${effective}`) >> 24n) & 1n) === 1n;
}
