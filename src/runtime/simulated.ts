/**
 * Pods that only say they run: a Runtime in memory, on a Clock, for simulated nodes. A pod scripts itself by
 * annotation:
 *
 * | annotation (on the pod; for one container `WHAT.simulate.coxswain.io/CONTAINER`) | meaning |
 * |---|---|
 * | `simulate.coxswain.io/duration: 90s` | ends after so long (`500ms`, `1m30s`, `2h`; a bare number is seconds) |
 * | `simulate.coxswain.io/exit-code: "3"` | with this code; a list `1,1,0` gives one for each restart, the last for all
 * later ones |
 * | `simulate.coxswain.io/ready-delay: 5s` | takes so long to start |
 * | `simulate.coxswain.io/failure-rate: "0.2"` | ends with exit code 1 (or the code given) in so many of all runs, else
 * with 0 |
 * | `simulate.coxswain.io/cpu: 250m`, `simulate.coxswain.io/memory: 64Mi` | says that it uses so much; without them,
 * nothing |
 *
 * Without a duration a container runs for ever at no cost, or for a second when it is meant to end.
 */
import { Duplex, PassThrough, Readable, Writable } from "node:stream";
import { type Clock, microTimestamp, type Timer } from "../core/clock.ts";
import { durationMs } from "../core/duration.ts";
import { parseQuantity } from "../core/quantity.ts";
import { parseImageReference } from "./reference.ts";
import {
	type Container,
	type ContainerConfig,
	type ContainerStats,
	type ExecSession,
	ImageError,
	type Runtime,
	runsToCompletionAnnotation,
	type Sandbox,
} from "./runtime.ts";

const prefix = "simulate.coxswain.io";

interface Entry {
	container: Container;
	log: string;
	timer?: Timer;
	/** Called once when it ends. */
	onExit: ((exitCode: number) => void)[];
}

/** Oldest first. */
interface PodIds {
	sandboxes: readonly string[];
	containers: readonly string[];
}

/** What a simulated node holds: hand it to the next runtime to play a restart of the agent. */
export interface SimulatedState {
	sandboxes: Map<string, Sandbox>;
	containers: Map<string, Entry>;
	/** Ids by the UID of the pod, so that no pod pays for the others. */
	pods: Map<string, PodIds>;
	sequence: number;
	/** Of all runtimes on this state: what began under an earlier one ends under the next. */
	listeners: Set<(podUid: string) => void>;
}

export function simulatedState(): SimulatedState {
	return { sandboxes: new Map(), containers: new Map(), pods: new Map(), sequence: 0, listeners: new Set() };
}

/** What it knows besides, because it holds everything in memory; the agent is given that when it is made. */
export interface SimulatedRuntime extends Runtime {
	/** The sandboxes and containers of one pod, oldest first. `onChange` reports every change. */
	ofPod(podUid: string): Promise<{ sandboxes: Sandbox[]; containers: Container[] }>;
	/** Log of a container, CRI format: nothing is written to `logPath`. */
	logText(id: string): string | undefined;
}

export function createSimulatedRuntime(options: { clock: Clock; state?: SimulatedState }): SimulatedRuntime {
	const { clock, state = simulatedState() } = options;
	const listeners: ((podUid: string) => void)[] = [];

	const changed = (entry: Entry) => {
		const podUid = state.sandboxes.get(entry.container.sandboxId)?.config.podUid;
		if (podUid !== undefined) for (const listener of state.listeners) listener(podUid);
	};
	const log = (entry: Entry, line: string) => {
		entry.log += `${microTimestamp(clock.now())} stdout F ${line}\n`;
	};
	const finish = (entry: Entry, exitCode: number, reason = exitCode === 0 ? "Completed" : "Error") => {
		if (entry.container.state === "exited") return;
		entry.timer?.cancel();
		delete entry.timer;
		log(entry, `${entry.container.config.name} ended with exit code ${exitCode}`);
		changeContainer(entry, { state: "exited", finishedAtMs: clock.now(), exitCode, reason });
		for (const exited of entry.onExit.splice(0)) exited(exitCode);
	};
	const run = (entry: Entry, script: Script) => {
		changeContainer(entry, { state: "running", startedAtMs: clock.now() });
		log(entry, `${entry.container.config.name} started, simulated, image ${entry.container.config.image}`);
		const failed = script.failureRate > 0 && clock.random() < script.failureRate;
		const exitCode = failed ? script.exitCode || 1 : script.failureRate > 0 ? 0 : script.exitCode;
		const endsAfterMs = script.durationMs ?? (failed ? 0 : undefined);
		if (endsAfterMs === undefined) return;
		entry.timer = clock.after(endsAfterMs, () => {
			finish(entry, exitCode);
			changed(entry);
		});
	};
	const idsOf = (podUid: string): PodIds => state.pods.get(podUid) ?? { sandboxes: [], containers: [] };
	const containersOf = (sandboxId: string): string[] => {
		const podUid = state.sandboxes.get(sandboxId)?.config.podUid ?? "";
		return idsOf(podUid).containers.filter((id) => state.containers.get(id)?.container.sandboxId === sandboxId);
	};
	const existingSandbox = (id: string): Sandbox => {
		const sandbox = state.sandboxes.get(id);
		if (sandbox === undefined) throw new Error(`sandbox ${id} does not exist`);
		return sandbox;
	};
	const existing = (id: string): Entry => {
		const entry = state.containers.get(id);
		if (entry === undefined) throw new Error(`container ${id} does not exist`);
		return entry;
	};

	return {
		version: "simulated://1",
		limitations: async () => ["containers are simulated: no program runs"],

		async resolveImage(image) {
			const reference = parseImageReference(image);
			if (reference.registry === "invalid" || reference.registry.endsWith(".invalid")) {
				throw new ImageError("ErrImagePull", `failed to pull image "${image}": no such host: ${reference.registry}`);
			}
			return { id: `simulated:${image}`, entrypoint: ["simulated"], args: [], env: [], sizeBytes: 0 };
		},

		async createSandbox(config) {
			const id = `${config.podUid}-${config.attempt}`;
			const before = state.sandboxes.get(id);
			if (before !== undefined) return before;
			const sandbox: Sandbox = {
				id,
				config,
				state: "ready",
				createdAtMs: clock.now(),
				...(config.hostNetwork ? {} : { networkNamespace: `simulated:${id}` }),
			};
			state.sandboxes.set(id, sandbox);
			const pod = idsOf(config.podUid);
			pod.sandboxes = pod.sandboxes.concat(id);
			state.pods.set(config.podUid, pod);
			return sandbox;
		},
		async stopSandbox(id) {
			const sandbox = state.sandboxes.get(id);
			if (sandbox === undefined) return;
			for (const containerId of containersOf(id)) finish(existing(containerId), 137);
			state.sandboxes.set(id, { ...sandbox, state: "notReady" });
		},
		async removeSandbox(id) {
			await this.stopSandbox(id);
			const podUid = state.sandboxes.get(id)?.config.podUid ?? "";
			const pod = idsOf(podUid);
			for (const containerId of containersOf(id)) {
				state.containers.delete(containerId);
				pod.containers = pod.containers.filter((other) => other !== containerId);
			}
			pod.sandboxes = pod.sandboxes.filter((other) => other !== id);
			if (pod.sandboxes.length === 0) state.pods.delete(podUid);
			state.sandboxes.delete(id);
		},
		listSandboxes: async () => [...state.sandboxes.values()],

		async createContainer(sandboxId, config) {
			const sandbox = state.sandboxes.get(sandboxId);
			if (sandbox?.state !== "ready") throw new Error(`sandbox ${sandboxId} is not ready`);
			const id = `${sandboxId}-${config.name}-${config.attempt}-${++state.sequence}`;
			const imageId = `simulated:${config.image}`;
			const container: Container = { id, sandboxId, config, imageId, state: "created", createdAtMs: clock.now() };
			state.containers.set(id, { container, log: "", onExit: [] });
			const pod = idsOf(sandbox.config.podUid);
			pod.containers = pod.containers.concat(id);
			return container;
		},
		async startContainer(id) {
			const entry = existing(id);
			if (entry.container.state !== "created") return;
			const script = readScript(state.sandboxes.get(entry.container.sandboxId), entry.container.config);
			if (script.readyDelayMs > 0) {
				await new Promise<void>((resolve) => {
					entry.onExit.push(() => resolve());
					entry.timer = clock.after(script.readyDelayMs, resolve);
				});
			}
			if (existing(id).container.state === "created") run(entry, script);
		},
		async stopContainer(id) {
			const entry = existing(id);
			// As a program that ends on SIGTERM does; one that never started has nothing to end.
			finish(entry, entry.container.state === "created" ? 137 : 0);
		},
		async removeContainer(id) {
			const entry = state.containers.get(id);
			if (entry === undefined) return;
			finish(entry, 137);
			state.containers.delete(id);
			const pod = idsOf(state.sandboxes.get(entry.container.sandboxId)?.config.podUid ?? "");
			pod.containers = pod.containers.filter((other) => other !== id);
		},
		listContainers: async () => [...state.containers.values()].map((entry) => entry.container),
		async ofPod(podUid) {
			const { sandboxes, containers } = idsOf(podUid);
			return { sandboxes: sandboxes.map(existingSandbox), containers: containers.map((id) => existing(id).container) };
		},
		async updateLimits(id, limits) {
			const entry = existing(id);
			changeContainer(entry, { config: { ...entry.container.config, limits } });
		},
		async updateSandboxLimits(id, limits) {
			const sandbox = existingSandbox(id);
			state.sandboxes.set(id, { ...sandbox, config: { ...sandbox.config, cgroup: limits } });
		},
		async reopenLog() {},
		logText: (id) => state.containers.get(id)?.log,

		async exec(id, { command, stdin, tty }) {
			const entry = existing(id);
			if (entry.container.state !== "running") throw new Error(`container ${id} is not running`);
			return session(stdin, tty, `simulated: ${command.join(" ")}\n`, Promise.resolve(0));
		},
		async attach(id, { stdin, signal }) {
			const entry = existing(id);
			const ended = new Promise<number>((resolve) => {
				if (entry.container.exitCode !== undefined) resolve(entry.container.exitCode);
				else entry.onExit.push(resolve);
				signal.addEventListener("abort", () => resolve(0), { once: true });
			});
			return session(stdin, entry.container.config.tty, undefined, ended);
		},
		async connect(sandboxId) {
			if (state.sandboxes.get(sandboxId)?.state !== "ready") throw new Error(`sandbox ${sandboxId} is not ready`);
			return answering();
		},
		async stats(): Promise<ContainerStats[]> {
			const running = [...state.containers.values()].filter((entry) => entry.container.state === "running");
			return running.map(({ container }) => {
				const { cores, memoryBytes } = readScript(state.sandboxes.get(container.sandboxId), container.config);
				const runningMs = clock.now() - (container.startedAtMs ?? clock.now());
				return { containerId: container.id, cpuNanoseconds: Math.round(cores * runningMs * 1e6), memoryBytes };
			});
		},
		onChange(listener) {
			listeners.push(listener);
			state.listeners.add(listener);
		},
		async close() {
			for (const listener of listeners.splice(0)) state.listeners.delete(listener);
		},
	};
}

/** A new object, because the old one may be in someone's hands. */
function changeContainer(entry: Entry, change: Partial<Container>): void {
	entry.container = Object.assign({}, entry.container, change);
}

interface Script {
	durationMs?: number;
	exitCode: number;
	readyDelayMs: number;
	failureRate: number;
	/** What it uses all the time that it runs. */
	cores: number;
	memoryBytes: number;
}

function readScript(sandbox: Sandbox | undefined, config: ContainerConfig): Script {
	const annotations = sandbox?.config.annotations ?? {};
	const read = (what: string) => annotations[`${what}.${prefix}/${config.name}`] ?? annotations[`${prefix}/${what}`];
	const codes = (read("exit-code") ?? "0").split(",").map((code) => Number(code) & 255);
	const endsAfterMs = readDuration(read("duration")) ?? (isMeantToEnd(config) ? 1000 : undefined);
	return {
		exitCode: codes[Math.min(config.attempt, codes.length - 1)] ?? 0,
		readyDelayMs: readDuration(read("ready-delay")) ?? 0,
		failureRate: Number(read("failure-rate") ?? 0) || 0,
		cores: readQuantity(read("cpu")),
		memoryBytes: readQuantity(read("memory")),
		...(endsAfterMs === undefined ? {} : { durationMs: endsAfterMs }),
	};
}

function isMeantToEnd({ annotations }: ContainerConfig): boolean {
	return annotations[runsToCompletionAnnotation] === "true";
}

/** Zero for what is no quantity: a script with a mistake in it still runs. */
function readQuantity(text = "0"): number {
	try {
		return parseQuantity(text);
	} catch {
		return 0;
	}
}

/** Milliseconds of `1m30s`, `500ms`; of a bare number, which is seconds; undefined for anything else. */
function readDuration(text = ""): number | undefined {
	if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
	try {
		return durationMs(text);
	} catch {
		return undefined;
	}
}

function session(stdin: boolean, tty: boolean, output: string | undefined, ended: Promise<number>): ExecSession {
	const stdout = output === undefined ? new PassThrough() : Readable.from([Buffer.from(output)]);
	const stderr = Readable.from([]);
	return {
		...(stdin ? { stdin: new Writable({ write: (_chunk, _encoding, done) => done() }) } : {}),
		stdout,
		...(tty ? {} : { stderr }),
		resize: () => {},
		exitCode: ended.then((code) => {
			if (stdout instanceof PassThrough) stdout.end();
			return code;
		}),
	};
}

/** Answers every HTTP request with 200; takes anything else in silence. */
function answering(): Duplex {
	const body = "simulated\n";
	const stream = new Duplex({
		read() {},
		write(chunk: Buffer, _encoding, done) {
			if (/^[A-Z]+ \S+ HTTP\/1/.test(chunk.toString("latin1"))) {
				stream.push(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
				stream.push(null);
			}
			done();
		},
	});
	return stream;
}
