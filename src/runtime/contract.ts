/** What every Runtime must do, as tests: each implementation's own test file calls `runtimeContract` with a way to make one. */
import { readFile, rename } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Container, ContainerConfig, ExecSession, Runtime, Sandbox, SandboxConfig } from "./runtime.ts";

export interface RuntimeFixture {
	runtime: Runtime;
	/** As after a crash of the agent: the old runtime is dropped without `close`, a new one looks at the same node. */
	reopen(): Promise<Runtime>;
	/** Lets a little time pass on whatever clock the runtime has. */
	pass(): Promise<void>;
	/** A directory for logs. */
	directory: string;
	/** Everything the fixture made is gone afterwards; throws when something was left behind. */
	dispose(): Promise<void>;
}

export interface RuntimeContractOptions {
	open(): Promise<RuntimeFixture>;
	/** Why behaviours that need programs to run are skipped; undefined where they run. */
	noPrograms?: string;
}

/** A container's life, said both as a shell command and as the annotations of the simulated runtime. */
interface Play {
	/** Absent: for ever. */
	durationMs?: number;
	exitCode?: number;
	/** Shell run first. */
	script?: string;
	config?: Partial<ContainerConfig>;
}

/** The defaults of a sandbox for tests. */
export function sandboxConfig(podUid: string, changes: Partial<SandboxConfig> = {}): SandboxConfig {
	return {
		podUid,
		namespace: "default",
		name: podUid,
		attempt: 0,
		hostname: podUid,
		hostNetwork: false,
		hostPid: false,
		hostIpc: false,
		sharePid: false,
		sysctls: {},
		labels: {},
		annotations: {},
		...changes,
	};
}

/** The defaults of a container for tests: `busybox` with a shell command. */
export function containerConfig(
	directory: string,
	name: string,
	changes: Partial<ContainerConfig> = {},
): ContainerConfig {
	return {
		name,
		attempt: 0,
		image: "busybox",
		env: [],
		mounts: [],
		tty: false,
		stdin: false,
		stdinOnce: false,
		logPath: `${directory}/${name}.log`,
		security: {
			supplementalGroups: [],
			privileged: false,
			readOnlyRootFilesystem: false,
			capabilities: { add: [], drop: [] },
			noNewPrivileges: false,
		},
		limits: {},
		labels: {},
		annotations: {},
		...changes,
	};
}

/** What a session wrote, and its exit code. */
export async function collect(session: ExecSession): Promise<{ stdout: string; stderr: string; exitCode: number }> {
	const read = async (stream: AsyncIterable<Buffer | string> | undefined) => {
		let text = "";
		if (stream !== undefined) for await (const chunk of stream) text += chunk.toString();
		return text;
	};
	const [stdout, stderr, exitCode] = await Promise.all([read(session.stdout), read(session.stderr), session.exitCode]);
	return { stdout, stderr, exitCode };
}

/** The payload of CRI log lines, joined. */
export function logPayload(text: string, stream?: "stdout" | "stderr"): string {
	let payload = "";
	for (const [, from, tag, line] of text.matchAll(/^\S+ (stdout|stderr) ([FP])[^ ]* (.*)$/gm)) {
		if (stream === undefined || from === stream) payload += tag === "F" ? `${line}\n` : line;
	}
	return payload;
}

export function runtimeContract(name: string, options: RuntimeContractOptions): void {
	describe(`runtime contract: ${name}`, () => {
		const never = new AbortController().signal;
		const withPrograms = (behaviour: string, test: () => Promise<void>) => {
			if (options.noPrograms === undefined) it(behaviour, test);
			else it.skip(`${behaviour} (${options.noPrograms})`, test);
		};
		let fixture: RuntimeFixture;
		let runtime: Runtime;
		let counter = 0;

		beforeEach(async () => {
			fixture = await options.open();
			runtime = fixture.runtime;
		});
		afterEach(async () => {
			await fixture.dispose();
		});

		const until = async <T>(what: string, check: () => Promise<T | undefined | false>): Promise<T> => {
			for (let attempt = 0; attempt < 500; attempt++) {
				const found = await check();
				if (found !== undefined && found !== false) return found;
				await fixture.pass();
			}
			throw new Error(`never came true: ${what}`);
		};
		const get = async (id: string): Promise<Container> => {
			const found = (await runtime.listContainers()).find((container) => container.id === id);
			if (found === undefined) throw new Error(`container ${id} is not listed`);
			return found;
		};
		const exited = (id: string) =>
			until(`container ${id} exits`, async () => {
				const container = await get(id);
				return container.state === "exited" && container;
			});
		const sandbox = (play: Play = {}, changes: Partial<SandboxConfig> = {}): Promise<Sandbox> => {
			const annotations: Record<string, string> = {};
			if (play.durationMs !== undefined) annotations["simulate.coxswain.io/duration"] = `${play.durationMs}ms`;
			if (play.exitCode !== undefined) annotations["simulate.coxswain.io/exit-code"] = String(play.exitCode);
			return runtime.createSandbox(sandboxConfig(`pod-${++counter}`, { annotations, ...changes }));
		};
		const create = (sandboxId: string, play: Play = {}, containerName = "main") => {
			const end = play.durationMs === undefined ? "exec sleep 1000" : `sleep ${play.durationMs / 1000}`;
			const script = `${play.script ?? ":"}\n${end}\nexit ${play.exitCode ?? 0}`;
			const config = { command: ["sh", "-c", script], ...play.config };
			return runtime.createContainer(sandboxId, containerConfig(fixture.directory, containerName, config));
		};
		/** A sandbox with one started container. */
		const play = async (what: Play, changes: Partial<SandboxConfig> = {}) => {
			const made = await sandbox(what, changes);
			const container = await create(made.id, what);
			await runtime.startContainer(container.id);
			return { sandbox: made, id: container.id };
		};

		it("lists a container as created, running and exited, with its times and exit code", async () => {
			const made = await sandbox({ durationMs: 30, exitCode: 3 });
			const created = await create(made.id, { durationMs: 30, exitCode: 3 });
			expect(await get(created.id)).toMatchObject({ state: "created", sandboxId: made.id, config: { name: "main" } });
			await runtime.startContainer(created.id);
			const ended = await exited(created.id);
			expect(ended).toMatchObject({ exitCode: 3, reason: "Error" });
			expect(ended.startedAtMs).toBeGreaterThanOrEqual(ended.createdAtMs);
			expect(ended.finishedAtMs).toBeGreaterThanOrEqual(ended.startedAtMs ?? Number.NaN);
		});

		it("says Completed for exit code 0", async () => {
			const { id } = await play({ durationMs: 10 });
			expect(await exited(id)).toMatchObject({ exitCode: 0, reason: "Completed" });
		});

		it("reports an exit by onChange with the UID of the pod, once the state shows it", async () => {
			const seen: string[] = [];
			runtime.onChange((uid) => seen.push(uid));
			const { id, sandbox: made } = await play({ durationMs: 20 });
			await until("onChange is called", async () => seen.includes(made.config.podUid));
			expect((await get(id)).state).toBe("exited");
		});

		it("gives the same sandbox for the same pod and attempt", async () => {
			const made = await sandbox();
			expect((await runtime.createSandbox(made.config)).id).toBe(made.id);
			expect(await runtime.listSandboxes()).toHaveLength(1);
		});

		it("stops a container, and again without error", async () => {
			const { id } = await play({ script: "trap 'exit 0' TERM; sleep 1000 & wait" });
			await runtime.stopContainer(id, 10_000);
			expect((await get(id)).state).toBe("exited");
			await runtime.stopContainer(id, 10_000);
		});

		it("stops a sandbox with everything in it, and removes it without trace", async () => {
			const { id, sandbox: made } = await play({});
			await runtime.stopSandbox(made.id);
			expect((await get(id)).state).toBe("exited");
			expect((await runtime.listSandboxes())[0]?.state).toBe("notReady");
			await runtime.stopSandbox(made.id);
			await runtime.removeSandbox(made.id);
			await runtime.removeSandbox(made.id);
			expect(await runtime.listSandboxes()).toEqual([]);
			expect(await runtime.listContainers()).toEqual([]);
		});

		it("removes a running container", async () => {
			const { id } = await play({});
			await runtime.removeContainer(id);
			await runtime.removeContainer(id);
			expect(await runtime.listContainers()).toEqual([]);
		});

		it("lists sandboxes and containers again after the agent restarts, and reports their exit", async () => {
			const forever = await play({});
			const short = await play({ durationMs: 300, exitCode: 5 });
			const unstarted = await create(forever.sandbox.id, {}, "second");
			runtime = await fixture.reopen();
			const seen: string[] = [];
			runtime.onChange((uid) => seen.push(uid));
			expect(await runtime.listSandboxes()).toHaveLength(2);
			expect(await get(forever.id)).toMatchObject({ state: "running", config: { image: "busybox" } });
			expect(await get(unstarted.id)).toMatchObject({ state: "created" });
			expect(await exited(short.id)).toMatchObject({ exitCode: 5, reason: "Error" });
			await until("onChange is called", async () => options.noPrograms || seen.includes(short.sandbox.config.podUid));
			await runtime.stopContainer(forever.id, 0);
			expect((await get(forever.id)).state).toBe("exited");
		});

		it("lists running containers in stats", async () => {
			const { id } = await play({});
			expect((await runtime.stats()).map((stats) => stats.containerId)).toEqual([id]);
		});

		it("refuses names that are no image names", async () => {
			const refused = runtime.resolveImage("No Image", { pullPolicy: "IfNotPresent", hasCommand: true });
			await expect(refused).rejects.toMatchObject({ name: "ImageError", reason: "InvalidImageName" });
		});

		withPrograms(
			"writes output in the CRI log format, stdout and stderr apart, also a last line without an end",
			async () => {
				const { id } = await play({ script: "echo one; echo two >&2; printf three", durationMs: 0 });
				await exited(id);
				const text = await readFile(`${fixture.directory}/main.log`, "utf8");
				expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z stdout F one$/m);
				expect(logPayload(text, "stdout")).toBe("one\nthree");
				expect(logPayload(text, "stderr")).toBe("two\n");
			},
		);

		withPrograms("loses no line when the agent restarts while a container writes", async () => {
			const lines = 20_000;
			const { id } = await play({
				script: `i=0; while [ $i -lt ${lines} ]; do echo $i; i=$((i+1)); done`,
				durationMs: 0,
			});
			for (let restarts = 0; restarts < 3; restarts++) {
				await fixture.pass();
				runtime = await fixture.reopen();
			}
			await exited(id);
			const payload = logPayload(await readFile(`${fixture.directory}/main.log`, "utf8"));
			expect(payload).toBe(Array.from({ length: lines }, (_, line) => `${line}\n`).join(""));
		});

		withPrograms("goes on in a new log file after reopenLog", async () => {
			const { id } = await play({
				script: "echo before; read line; echo after",
				config: { stdin: true },
				durationMs: 0,
			});
			const log = `${fixture.directory}/main.log`;
			await until("the first line is written", async () => (await readFile(log, "utf8")).includes("before"));
			await rename(log, `${log}.1`);
			await runtime.reopenLog(id);
			const session = await runtime.attach(id, { stdin: true, signal: never });
			session.stdin?.write("go\n");
			await exited(id);
			expect(logPayload(await readFile(log, "utf8"))).toBe("after\n");
			expect(logPayload(await readFile(`${log}.1`, "utf8"))).toBe("before\n");
		});

		withPrograms("kills what does not end within the grace period", async () => {
			const { id } = await play({ script: "trap '' TERM; echo ready" });
			await until("the trap is set", async () =>
				(await readFile(`${fixture.directory}/main.log`, "utf8")).includes("ready"),
			);
			await runtime.stopContainer(id, 50);
			expect(await get(id)).toMatchObject({ exitCode: 137, reason: "Error" });
		});

		withPrograms("ends at once on a stop signal that is handled, with the program's own code", async () => {
			const { id } = await play({ script: "trap 'exit 7' TERM; echo ready; sleep 1000 & wait" });
			await until("the trap is set", async () =>
				(await readFile(`${fixture.directory}/main.log`, "utf8")).includes("ready"),
			);
			await runtime.stopContainer(id, 60_000);
			expect(await get(id)).toMatchObject({ exitCode: 7 });
		});

		withPrograms("says StartError for a command that does not exist", async () => {
			const { id } = await play({ config: { command: ["no-such-program"] } });
			expect(await exited(id)).toMatchObject({
				exitCode: 128,
				reason: "StartError",
				message: expect.stringContaining('exec: "no-such-program": executable file not found in $PATH'),
			});
		});

		withPrograms("gives environment, arguments, working directory and host name as they are written", async () => {
			const value = `it's "quoted" $HOME \\ and\nlong`;
			const { id } = await play(
				{
					config: {
						command: ["sh", "-c", 'printf "%s|%s|%s|%s" "$VALUE" "$1" "$PWD" "$(uname -n)"', "sh"],
						args: ["a b*'"],
						env: [{ name: "VALUE", value }],
						workingDir: "/srv/not there yet",
					},
				},
				{ hostname: "web-0" },
			);
			await exited(id);
			const payload = logPayload(await readFile(`${fixture.directory}/main.log`, "utf8"));
			expect(payload).toBe(`${value}|a b*'|/srv/not there yet|web-0`);
		});

		withPrograms("runs commands inside with their own streams and exit code", async () => {
			const { id } = await play({ script: "echo mine >/var/lib/mine" });
			await until("the file is there", async () => {
				const session = await runtime.exec(id, {
					command: ["cat", "/var/lib/mine"],
					tty: false,
					stdin: false,
					signal: never,
				});
				return (await collect(session)).stdout === "mine\n";
			});
			const command = ["sh", "-c", "cat; echo problem >&2; exit 4"];
			const session = await runtime.exec(id, { command, tty: false, stdin: true, signal: never });
			session.stdin?.end("hello");
			expect(await collect(session)).toEqual({ stdout: "hello", stderr: "problem\n", exitCode: 4 });
		});

		withPrograms("gives exec a terminal that can be resized", async () => {
			const { id } = await play({});
			const command = ["sh", "-c", "tty; read line; stty size; exit 6"];
			const session = await runtime.exec(id, { command, tty: true, stdin: true, signal: never });
			expect(session.stderr).toBeUndefined();
			session.resize(0, 0);
			session.resize(132, 43);
			session.stdin?.write("go\r");
			const { stdout, exitCode } = await collect(session);
			expect(stdout).toMatch(/\/dev\/pts\/\d+\r\n/);
			expect(stdout).toContain("43 132");
			expect(exitCode).toBe(6);
		});

		withPrograms("ends an exec when its signal aborts", async () => {
			const { id } = await play({});
			const abort = new AbortController();
			const session = await runtime.exec(id, {
				command: ["sh", "-c", "echo up; exec sleep 1000"],
				tty: false,
				stdin: false,
				signal: abort.signal,
			});
			session.stdout.once("data", () => abort.abort());
			expect((await collect(session)).exitCode).not.toBe(0);
		});

		withPrograms("joins a container's streams by attach and hands it the end of input", async () => {
			const { id } = await play({
				script: "cat",
				durationMs: 0,
				exitCode: 9,
				config: { stdin: true, stdinOnce: true },
			});
			const session = await runtime.attach(id, { stdin: true, signal: never });
			session.stdin?.end("hello\n");
			expect(await collect(session)).toEqual({ stdout: "hello\n", stderr: "", exitCode: 9 });
			expect((await exited(id)).exitCode).toBe(9);
		});

		withPrograms(
			"keeps the files of two containers of one pod apart, and those of the machine as they are",
			async () => {
				const made = await sandbox();
				const first = await create(made.id, { script: "echo x >/etc/cox-first", durationMs: 0 }, "first");
				await runtime.startContainer(first.id);
				await exited(first.id);
				const second = await create(made.id, { script: "ls /etc/cox-first", durationMs: 0, exitCode: 8 }, "second");
				await runtime.startContainer(second.id);
				await exited(second.id);
				expect(logPayload(await readFile(`${fixture.directory}/second.log`, "utf8"), "stderr")).toContain(
					"No such file",
				);
				await expect(readFile("/etc/cox-first")).rejects.toThrow("ENOENT");
			},
		);

		withPrograms("carries bytes to a port of the sandbox's own loopback", async () => {
			const server = `require("net").createServer(s => s.end("from inside")).listen(8123, "127.0.0.1", () => console.log("up"))`;
			const { sandbox: made } = await play({ config: { command: [process.execPath, "-e", server] } });
			await until("the server listens", async () =>
				(await readFile(`${fixture.directory}/main.log`, "utf8")).includes("up"),
			);
			const stream = await runtime.connect(made.id, 8123, never);
			let text = "";
			for await (const chunk of stream) text += chunk.toString();
			expect(text).toBe("from inside");
			await expect(runtime.connect(made.id, 8124, never)).rejects.toThrow("ECONNREFUSED");
		});
	});
}
