/**
 * A real cluster for a test: its own data directory, the `cox` of dist/, any kubectl; gone without trace afterwards.
 */
import { execFile, spawn } from "node:child_process";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { kubectlPath, kubectls } from "../../src/core/testing/programs.ts";

export const root = join(import.meta.dirname, "../..");
const execFileAsync = promisify(execFile);
const largestOutputBytes = 64 << 20;

export interface Output {
	code: number;
	stdout: string;
	stderr: string;
}

/** Runs a program to its end. Never throws for an exit code. */
export async function run(
	command: string,
	args: readonly string[],
	options: { env?: NodeJS.ProcessEnv; input?: string; timeoutMs?: number; cwd?: string } = {},
): Promise<Output> {
	const promise = execFileAsync(command, args, {
		// Messages suggest `cox`, whether npm runs the tests or not.
		env: { ...process.env, npm_command: undefined, ...options.env },
		maxBuffer: largestOutputBytes,
		timeout: options.timeoutMs ?? 120_000,
		cwd: options.cwd ?? root,
	});
	// A program may end without having read its input.
	promise.child.stdin?.on("error", () => {});
	promise.child.stdin?.end(options.input ?? "");
	try {
		return { code: 0, ...(await promise) };
	} catch (error) {
		// execFile's rejection carries the output besides the code.
		const failure = error as { code?: number | string; stdout?: string; stderr?: string; message: string };
		if (typeof failure.code !== "number") throw error;
		return { code: failure.code, stdout: failure.stdout ?? "", stderr: failure.stderr ?? "" };
	}
}

export { kubectlPath, kubectls };

export class TestCluster {
	readonly data: string;
	readonly kubeconfig: string;

	/** Deleted in the end; holds the data directory or is it. */
	readonly #folder: string;
	/** What runs `cox`: nothing, or a command that changes its user or what it inherits first. */
	#become: readonly string[] = [];

	private constructor(data: string, folder = data) {
		this.data = data;
		this.#folder = folder;
		this.kubeconfig = join(data, "kubeconfig");
	}

	static start(...args: string[]): Promise<TestCluster> {
		return TestCluster.empty().#up(args);
	}

	/** A cluster that outlives the test: it is started in the data directory, or found there. */
	static startAt(data: string, ...args: string[]): Promise<TestCluster> {
		mkdirSync(data, { recursive: true });
		return TestCluster.at(data).#up(args);
	}

	/** A cluster that `startAt` has started. */
	static at(data: string): TestCluster {
		return new TestCluster(data);
	}

	/** The same as an ordinary user without any groups; for tests that run as root. */
	static startAs(user: number, ...args: string[]): Promise<TestCluster> {
		const cluster = TestCluster.empty();
		chownSync(cluster.data, user, user);
		cluster.#become = asUser(user);
		return cluster.#up(args);
	}

	/** The same by a command that runs the rest of it, as a user's shell with settings of its own does. */
	static startBy(command: readonly string[], ...args: string[]): Promise<TestCluster> {
		const cluster = TestCluster.empty();
		cluster.#become = command;
		return cluster.#up(args);
	}

	async #up(args: readonly string[]): Promise<this> {
		try {
			await this.coxOk("up", ...args);
		} catch (error) {
			await this[Symbol.asyncDispose]();
			throw error;
		}
		return this;
	}

	/** A data directory without a running cluster; `path` lies below a directory of its own. */
	static empty(path = ""): TestCluster {
		const folder = mkdtempSync(join(tmpdir(), "cox-test-"));
		return new TestCluster(join(folder, path), folder);
	}

	cox(...args: string[]): Promise<Output> {
		const [program = "", ...rest] = [...this.#become, process.execPath, join(root, "bin/cox.js"), ...args];
		const home = this.#become.length > 0 ? { HOME: this.data } : {};
		return run(program, rest, { env: { COX_DATA: this.data, ...home } });
	}

	async coxOk(...args: string[]): Promise<string> {
		return succeeded(`cox ${args.join(" ")}`, await this.cox(...args));
	}

	/**
	 * What a user's shell has: the kubeconfig, and kubectl on the PATH. kubectl keeps discovery caches under HOME: each
	 * cluster gets its own.
	 */
	get environment(): NodeJS.ProcessEnv {
		return { KUBECONFIG: this.kubeconfig, HOME: this.data, PATH: `${dirname(kubectlPath)}:${process.env.PATH}` };
	}

	kubectlWith(path: string): (...args: string[]) => Promise<Output> {
		return (...args) => run(path, args, { env: this.environment });
	}

	/** Output of a kubectl command that must succeed. */
	async kubectl(...args: string[]): Promise<string> {
		return succeeded(`kubectl ${args.join(" ")}`, await this.kubectlWith(kubectlPath)(...args));
	}

	/** The same with text on standard input. */
	async kubectlInput(input: string, ...args: string[]): Promise<string> {
		const output = await run(kubectlPath, args, { env: this.environment, input });
		return succeeded(`kubectl ${args.join(" ")}`, output);
	}

	/** A kubectl that goes on (get -w, logs -f, port-forward), until the returned function ends it. */
	kubectlRunning(args: readonly string[], path = kubectlPath): { output(): string; stop(): Promise<void> } {
		const child = spawn(path, args, {
			env: { ...process.env, ...this.environment },
			stdio: ["ignore", "pipe", "pipe"],
		});
		const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
		let text = "";
		for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
		return {
			output: () => text,
			stop: () => {
				child.kill();
				return ended;
			},
		};
	}

	/**
	 * What a part of the cluster was refused for lack of a right, as the server's log has it: a defect of its role,
	 * whatever came of it.
	 */
	refusals(): string[] {
		const log = join(this.data, "server.log");
		if (!existsSync(log)) return [];
		return readFileSync(log, "utf8")
			.split("\n")
			.filter((line) => line.includes(" lacks a right: "));
	}

	/** @throws Error when a part of the cluster was refused something */
	async [Symbol.asyncDispose](): Promise<void> {
		let refusals: string[];
		try {
			await this.coxOk("down");
		} finally {
			refusals = this.refusals();
			await rm(this.#folder, { recursive: true, force: true });
		}
		if (refusals.length > 0) throw new Error(refusals.join("\n"));
	}
}

/** The beginning of a command that runs the rest of it as an ordinary user. */
export function asUser(user: number): string[] {
	return ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups"];
}

export function succeeded(what: string, output: Output): string {
	if (output.code !== 0) throw new Error(`${what}: exit code ${output.code}\n${output.stdout}${output.stderr}`);
	return output.stdout;
}

/** Tries again, quickly at first, until `attempt` returns without throwing; then its last error counts. */
export async function eventually<T>(attempt: () => Promise<T>, limitMs = 30_000): Promise<T> {
	const deadlineMs = Date.now() + limitMs;
	for (let pauseMs = 20; ; pauseMs = Math.min(pauseMs * 1.5, 500)) {
		try {
			return await attempt();
		} catch (error) {
			if (Date.now() > deadlineMs) throw error;
			await new Promise((resolve) => setTimeout(resolve, pauseMs));
		}
	}
}
