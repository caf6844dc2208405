/** One container: created, started, observed, adopted after a restart of the agent, stopped, removed. */

import { constants, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { messageOf } from "../../../core/errors.ts";
import { identify, isAlive, killAndWait, killChildren, type ProcessId, signal } from "../../../linux/processes.ts";
import type { Container, ContainerConfig } from "../../runtime.ts";
import { encodePlan } from "../launcher/plan.ts";
import { windowSize } from "../launcher/window-size.ts";
import { readRecord, writeRecord } from "../machine/records.ts";
import { firstLine, writeFifo } from "../output/fifos.ts";
import type { LogPump, Tap } from "../output/logs.ts";
import { heldNamespace, linkLayers, openLogPump, spawnShim, started, startFailure } from "./container-begin.ts";
import { type ContainerEnd, containerEnd, killProcesses, sendStopSignal } from "./container-end.ts";
import {
	type ContainerRecord,
	commandOf,
	fifosOf,
	newRecord,
	places,
	readExit,
	streamsOf,
} from "./container-record.ts";
import type { Environment } from "./environment.ts";
import { execPlan } from "./exec-plan.ts";
import type { HeldNamespace } from "./held-namespace.ts";
import type { ProcessSandbox } from "./sandbox.ts";
import { startPlan } from "./start-plan.ts";

const acknowledgement = Buffer.from("\n");

export class ProcessContainer {
	readonly #environment: Environment;
	#record: ContainerRecord;
	#pump?: LogPump;
	#ended: Promise<void> = Promise.resolve();
	#closed = false;
	#namespace: HeldNamespace | undefined;
	#execs = 0;

	private constructor(environment: Environment, record: ContainerRecord) {
		this.#environment = environment;
		this.#record = record;
	}

	/** @param target first process of the container whose processes it sees */
	static async create(
		environment: Environment,
		sandbox: ProcessSandbox,
		id: string,
		config: ContainerConfig,
		target: ProcessId | undefined,
	): Promise<ProcessContainer> {
		const record = newRecord(environment, sandbox, id, config, target);
		const container = new ProcessContainer(environment, record);
		try {
			const command = commandOf(environment, config);
			mkdirSync(container.#directory, { recursive: true, mode: 0o700 });
			const fifos = fifosOf(config).map((name) => `${container.#directory}/${name}`);
			linkLayers(environment, record, container.#directory);
			const plan = startPlan(environment, sandbox, record, command);
			writeFileSync(container.#startPlan, encodePlan(plan), { mode: 0o600 });
			// Any user of the container may open the streams again by name, as /dev/stdout.
			await environment.fifos.take(fifos);
			container.#save();
			return container;
		} catch (error) {
			await container.#cleanUp();
			throw error;
		}
	}

	/** The container of a record, adopted if it is still running. */
	static load(environment: Environment, id: string): ProcessContainer | undefined {
		const record = readRecord<ContainerRecord>(`${environment.directory}/containers/${id}/record.json`);
		if (record === undefined) {
			// Its creation was interrupted.
			for (const place of places(environment, id)) environment.trash.discard(place);
			return undefined;
		}
		const container = new ProcessContainer(environment, record);
		if (record.container.state === "exited" || record.shim === undefined) return container;
		try {
			container.#join();
		} catch (error) {
			// Damaged files of one container must not prevent the agent from adopting the others.
			killProcesses(container.#record);
			const problem = messageOf(error);
			container.#exit({ exitCode: 137, reason: "Error", message: `the container's state is damaged: ${problem}` });
		}
		return container;
	}

	get id(): string {
		return this.#record.container.id;
	}

	get sandboxId(): string {
		return this.#record.container.sandboxId;
	}

	get podUid(): string {
		return this.#record.podUid;
	}

	describe(): Container {
		return this.#record.container;
	}

	/** Resolves when the container has ended and its logs are complete. */
	get ended(): Promise<void> {
		return this.#ended;
	}

	/** The first process, while it is running. */
	get init(): ProcessId | undefined {
		return this.#record.container.state === "running" ? this.#record.init : undefined;
	}

	async start(): Promise<void> {
		if (this.#record.container.state !== "created" || this.#record.shim !== undefined) return;
		const status = firstLine(`${this.#directory}/status`);
		const pump = this.#openPump();
		const shim = spawnShim(this.#environment.launcher, this.#startPlan, () => {
			if (this.#record.init === undefined) pump.close();
		});
		const identity = shim === undefined ? undefined : identify(shim);
		this.#record = { ...this.#record, ...(identity === undefined ? {} : { shim: identity }) };
		this.#save();
		this.#ended = pump.ended.then(() => this.#finish());
		await this.#hear(status, pump);
		if (this.#record.container.state !== "running") await this.#ended;
	}

	async stop(graceMs: number): Promise<void> {
		const { container, init } = this.#record;
		if (container.state === "created" && this.#record.shim === undefined) {
			this.#exit({ exitCode: 137, reason: "Error", message: "stopped before it was started" });
			return;
		}
		if (container.state === "exited") return;
		if (init !== undefined && graceMs > 0) {
			const deadline = new AbortController();
			sendStopSignal(this.#record, init, this.#environment.clock, deadline.signal);
			const timeout = this.#environment.clock.sleep(graceMs, deadline.signal).catch(() => {});
			await Promise.race([this.#ended, timeout]);
			deadline.abort();
		}
		killProcesses(this.#record);
		await this.#ended;
	}

	async remove(): Promise<void> {
		await this.stop(0);
		await this.#cleanUp();
	}

	update(limits: ContainerConfig["limits"]): void {
		this.#environment.cgroups.update(this.#record.cgroup, limits);
		this.#change({ config: { ...this.#record.container.config, limits } });
	}

	reopenLog(): void {
		this.#pump?.reopen();
	}

	tap(tap: Tap): () => void {
		return this.#pump?.tap(tap) ?? (() => {});
	}

	/** The container's standard input, opened for writing. */
	openInput(): number {
		return openSync(`${this.#directory}/in`, constants.O_WRONLY | constants.O_NONBLOCK);
	}

	/** Closes the container's input after the last writer has closed its own. */
	endInput(): void {
		if (this.#record.shim !== undefined) signal(this.#record.shim, "SIGUSR1");
	}

	/** Size of its terminal. */
	resize(columns: number, rows: number): void {
		if (this.#record.container.config.tty) writeFifo(`${this.#directory}/size`, windowSize(columns, rows));
	}

	/**
	 * Writes the plan of a command for the launcher, which deletes the file.
	 * @throws Error if the container is not running
	 */
	writeExecPlan(command: readonly string[], tty: boolean): string {
		const path = `${this.#directory}/exec-${++this.#execs}`;
		const plan = execPlan(this.#record, { command, tty, environment: this.#environment });
		writeFileSync(path, encodePlan(plan), { mode: 0o600 });
		return path;
	}

	/** Stops reading the output; the container continues to run. */
	close(): void {
		this.#closed = true;
		this.#namespace?.release();
		this.#pump?.close();
	}

	get #startPlan(): string {
		return `${this.#directory}/plan`;
	}

	get #directory(): string {
		return `${this.#environment.directory}/containers/${this.id}`;
	}

	/** After a restart of the agent. */
	#join(): void {
		// The rest of its streams is still read.
		const orphaned = this.#record.shim === undefined || !isAlive(this.#record.shim);
		this.#namespace = heldNamespace(this.#record);
		if (orphaned) killProcesses(this.#record);
		const pump = this.#openPump(orphaned);
		this.#ended = pump.ended.then(() => this.#finish());
		if (this.#record.container.state !== "created") return;
		const status = firstLine(`${this.#directory}/status`);
		void this.#hear(status, pump);
	}

	/** Waits for the status that the container's supervisor reports. If it takes too long, the container is killed. */
	async #hear(status: ReturnType<typeof firstLine>, pump: LogPump): Promise<void> {
		const { clock, startLimitMs } = this.#environment;
		const late = clock.after(startLimitMs, () => {
			const { shim } = this.#record;
			this.#take(`failed the container did not start within ${startLimitMs / 1000} s`);
			if (shim !== undefined) {
				killChildren(shim.pid);
				signal(shim, "SIGKILL");
			}
			pump.close();
		});
		const line = await Promise.race([status.line, pump.ended.then(() => "")]);
		late.cancel();
		status.close();
		if (this.#record.failure === undefined) this.#take(line);
	}

	#openPump(orphaned = false): LogPump {
		this.#pump = openLogPump(this.#environment, this.#record, this.#directory, orphaned);
		return this.#pump;
	}

	/** Processes the status that the container's supervisor reported. */
	#take(line: string): void {
		if (this.#record.container.state !== "created") return;
		if (line.startsWith("started ")) {
			const { record, namespace } = started(this.#record, Number(line.slice(8)));
			this.#record = record;
			this.#namespace = namespace;
			this.#change({ state: "running", startedAtMs: this.#environment.clock.now() });
			return;
		}
		const { directory, scratch } = this.#environment;
		const failure = startFailure(line, [directory, scratch]);
		this.#record = { ...this.#record, failure };
		this.#save();
	}

	async #finish(): Promise<void> {
		// Reading stopped because the agent ends, not the container.
		if (this.#closed) return;
		const { container, ownPid, cgroup } = this.#record;
		const { cgroups, clock } = this.#environment;
		const exit = readExit(`${this.#directory}/exit`);
		if (exit === undefined || !ownPid) killProcesses(this.#record);
		this.#namespace?.release();
		this.#exit(containerEnd(this.#record, exit, () => cgroups.oomKilled(cgroup), clock.now()));
		// The supervisor may end, now that the logs are written.
		writeFifo(`${this.#directory}/ack`, acknowledgement);
		for (const name of streamsOf(container.config)) rmSync(`${this.#directory}/${name}.raw`, { force: true });
		this.#environment.changed(this.#record.podUid);
	}

	#exit(end: ContainerEnd): void {
		this.#change({ state: "exited", finishedAtMs: this.#environment.clock.now(), ...end });
	}

	#change(changes: Partial<Container>): void {
		this.#record = { ...this.#record, container: { ...this.#record.container, ...changes } };
		this.#save();
	}

	async #cleanUp(): Promise<void> {
		this.#pump?.close();
		if (this.#record.shim !== undefined) await killAndWait(this.#record.shim, this.#environment.clock);
		await this.#environment.cgroups.remove(this.#record.cgroup, this.#environment.clock);
		for (const place of places(this.#environment, this.id)) this.#environment.trash.discard(place);
		const { files, volumeFiles = [] } = this.#record;
		const { images, clock } = this.#environment;
		for (const { image } of [...(files === undefined ? [] : [files]), ...volumeFiles])
			images.store?.unuse(image, this.id, clock.now());
	}

	#save(): void {
		writeRecord(`${this.#directory}/record.json`, this.#record);
	}
}
