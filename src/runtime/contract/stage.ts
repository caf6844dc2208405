/**
 * The environment of each test of the contract: a new runtime, and functions that create containers and wait for them.
 */
import { afterEach, beforeEach, it } from "vitest";
import type { Container, ContainerConfig, Runtime, Sandbox, SandboxConfig } from "../runtime.ts";
import { containerConfig, sandboxConfig } from "./defaults.ts";

export interface RuntimeFixture {
	runtime: Runtime;
	/** Simulates a crash of the agent: the old runtime is dropped without `close`, and a new one uses the same node. */
	reopen(): Promise<Runtime>;
	/** Lets a little time pass on the runtime's clock. */
	pass(): Promise<void>;
	/** A directory for logs. */
	directory: string;
	/**
	 * Removes everything that the fixture created.
	 * @throws if something was left behind
	 */
	dispose(): Promise<void>;
}

export interface RuntimeContractOptions {
	open(): Promise<RuntimeFixture>;
	/** Why tests that run programs are skipped; undefined: they run. */
	noPrograms?: string;
	/** A command that says `up` when it listens on a port of 127.0.0.1, and `from inside` to whom connects. */
	server(port: number): readonly string[];
}

/** The behavior of a container, both as a shell command and as annotations of the simulated runtime. */
export interface Play {
	/** Absent: forever. */
	durationMs?: number;
	exitCode?: number;
	/** Shell commands to run first. */
	script?: string;
	config?: Partial<ContainerConfig>;
}

/** Create it inside `describe`: it creates a fixture before each test and disposes of it afterwards. */
export class Stage {
	readonly #options: RuntimeContractOptions;
	#fixture?: RuntimeFixture;
	#runtime?: Runtime;
	#counter = 0;

	constructor(options: RuntimeContractOptions) {
		this.#options = options;
		beforeEach(async () => {
			this.#fixture = await options.open();
			this.#runtime = this.#fixture.runtime;
		});
		afterEach(() => this.fixture.dispose());
	}

	/** A test that needs programs to run. */
	withPrograms(behaviour: string, test: () => Promise<void>): void {
		const { noPrograms } = this.#options;
		if (noPrograms === undefined) it(behaviour, test);
		else it.skip(`${behaviour} (${noPrograms})`, test);
	}

	get runsPrograms(): boolean {
		return this.#options.noPrograms === undefined;
	}

	server(port: number): readonly string[] {
		return this.#options.server(port);
	}

	get fixture(): RuntimeFixture {
		if (this.#fixture === undefined) throw new Error("outside of a test");
		return this.#fixture;
	}

	get runtime(): Runtime {
		return this.#runtime ?? this.fixture.runtime;
	}

	async reopen(): Promise<void> {
		this.#runtime = await this.fixture.reopen();
	}

	async until<T>(what: string, check: () => Promise<T | undefined | false>): Promise<T> {
		for (let attempt = 0; attempt < 500; attempt++) {
			const found = await check();
			if (found !== undefined && found !== false) return found;
			await this.fixture.pass();
		}
		throw new Error(`never came true: ${what}`);
	}

	async get(id: string): Promise<Container> {
		const found = (await this.runtime.listContainers()).find((container) => container.id === id);
		if (found === undefined) throw new Error(`container ${id} is not listed`);
		return found;
	}

	exited(id: string): Promise<Container> {
		return this.until(`container ${id} exits`, async () => {
			const container = await this.get(id);
			return container.state === "exited" && container;
		});
	}

	sandbox(play: Play = {}, changes: Partial<SandboxConfig> = {}): Promise<Sandbox> {
		const annotations: Record<string, string> = {};
		if (play.durationMs !== undefined) annotations["simulate.coxswain.io/duration"] = `${play.durationMs}ms`;
		if (play.exitCode !== undefined) annotations["simulate.coxswain.io/exit-code"] = String(play.exitCode);
		return this.runtime.createSandbox(sandboxConfig(`pod-${++this.#counter}`, { annotations, ...changes }));
	}

	create(sandboxId: string, play: Play = {}, containerName = "main"): Promise<Container> {
		const end = play.durationMs === undefined ? "exec sleep 1000" : `sleep ${play.durationMs / 1000}`;
		const script = `${play.script ?? ":"}\n${end}\nexit ${play.exitCode ?? 0}`;
		const config = { command: ["sh", "-c", script], ...play.config };
		return this.runtime.createContainer(sandboxId, containerConfig(this.fixture.directory, containerName, config));
	}

	/** A sandbox with one started container. */
	async play(what: Play, changes: Partial<SandboxConfig> = {}): Promise<{ sandbox: Sandbox; id: string }> {
		const made = await this.sandbox(what, changes);
		const container = await this.create(made.id, what);
		await this.runtime.startContainer(container.id);
		return { sandbox: made, id: container.id };
	}
}
