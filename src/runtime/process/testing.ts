/** A process runtime in a temporary directory, for tests; `dispose` reports what was left behind. */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { systemClock } from "../../core/time/clock.ts";
import { allPids } from "../../linux/processes.ts";
import { containerConfig, logPayload, type RuntimeFixture, sandboxConfig } from "../contract/contract.ts";
import type { Container, ContainerConfig, SandboxConfig } from "../runtime.ts";
import { createProcessRuntime, type ProcessRuntimeOptions } from "./runtime.ts";

/** Whether this is a user namespace with one user. */
export const rootless = !/^\s*0\s+0\s+4294967295/.test(readFileSync("/proc/self/uid_map", "utf8"));

const clock = systemClock();

export interface ProcessFixture extends RuntimeFixture {
	/** Creates a sandbox with one started container; the log is at `log(name)`. */
	start(config: Partial<ContainerConfig>, sandbox?: Partial<SandboxConfig>): Promise<Container>;
	/** The output of a script in a container in a sandbox of its own, or why it failed. */
	output(script: string, config?: Partial<ContainerConfig>, sandbox?: Partial<SandboxConfig>): Promise<string>;
	/** A directory with these files. */
	folder(name: string, files?: Record<string, string>): string;
	/** The container once it has exited. */
	exited(id: string): Promise<Container>;
	/** The log of the container with this name. */
	log(name: string): string;
	until<T>(what: string, check: () => T | undefined | false | Promise<T | undefined | false>): Promise<T>;
}

export async function processFixture(changes: Partial<ProcessRuntimeOptions> = {}): Promise<ProcessFixture> {
	const directory = mkdtempSync(`${tmpdir()}/cox-runtime-`);
	const logs = `${directory}/logs`;
	mkdirSync(logs);
	const open = () =>
		createProcessRuntime({
			clock,
			directory: `${directory}/state`,
			scratchDirectory: `${directory}/scratch`,
			hidden: [directory],
			...changes,
		});
	let runtime = await open();
	let counter = 0;
	const fixture: ProcessFixture = {
		runtime,
		directory: logs,
		pass: () => clock.sleep(10),
		async reopen() {
			await runtime.close();
			runtime = await open();
			return runtime;
		},
		async start(config, sandbox = {}) {
			const made = await runtime.createSandbox(sandboxConfig(`pod-${++counter}`, sandbox));
			const container = await runtime.createContainer(made.id, containerConfig(logs, config.name ?? "main", config));
			await runtime.startContainer(container.id);
			return container;
		},
		async output(script, config = {}, sandbox = {}) {
			const container = await fixture.start({ command: ["sh", "-c", script], ...config }, sandbox);
			const { message, exitCode } = await fixture.exited(container.id);
			const text = message ?? fixture.log(config.name ?? "main");
			// A script that something else on the machine has killed says nothing, which is no answer.
			if (text === "" && exitCode === 137) throw new Error(`killed before it wrote anything: ${script}`);
			return text;
		},
		folder(name, files = {}) {
			const path = `${logs}/${name}`;
			mkdirSync(path, { recursive: true });
			for (const [file, content] of Object.entries(files)) writeFileSync(`${path}/${file}`, content);
			return path;
		},
		exited: (id) =>
			fixture.until(`container ${id} exits`, async () => {
				const found = (await runtime.listContainers()).find((container) => container.id === id);
				return found?.state === "exited" && found;
			}),
		log: (name) => logPayload(readText(`${logs}/${name}.log`)),
		async until(what, check) {
			for (let attempt = 0; attempt < 2000; attempt++) {
				const found = await check();
				if (found !== undefined && found !== false) return found;
				await clock.sleep(10);
			}
			const written = (await runtime.listContainers()).map(
				({ config }) => `${config.name}: ${fixture.log(config.name)}`,
			);
			throw new Error(`never came true: ${what}\n${written.join("\n")}`);
		},
		async dispose() {
			for (const sandbox of await runtime.listSandboxes()) await runtime.removeSandbox(sandbox.id);
			await runtime.close();
			const left = leftovers(directory);
			await rm(directory, { recursive: true, force: true });
			if (left.length > 0) throw new Error(`left behind: ${left.join("; ")}`);
		},
	};
	return fixture;
}

/** What still uses the directory: processes by their arguments, mounts by their path. */
function leftovers(directory: string): string[] {
	const commands = allPids().map((pid) => readText(`/proc/${pid}/cmdline`).replaceAll("\0", " "));
	const mounts = readText("/proc/self/mountinfo").split("\n");
	return [...commands, ...mounts].filter((text) => text.includes(directory));
}

function readText(path: string): string {
	try {
		return readFileSync(path, "utf8");
	} catch {
		return "";
	}
}
