/** Pod sandboxes: a process that sleeps and thereby holds the namespaces a pod's containers share. */
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, rmdirSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dottedSysctl, isSysctlName, sysctlNamespace, sysctlPath } from "../../core/sysctl.ts";
import type { ResourceLimits, Sandbox, SandboxConfig } from "../runtime.ts";
import { hasLimits } from "./cgroups.ts";
import type { Environment } from "./environment.ts";
import { identify, isAlive, killAndWait, type ProcessId } from "./processes.ts";
import { readRecord, writeRecord } from "./records.ts";
import { shellQuote } from "./shell.ts";
import { toolEnvironment } from "./tool-environment.ts";

interface SandboxRecord {
	id: string;
	config: SandboxConfig;
	createdAtMs: number;
	holder: ProcessId;
}

/** A sandbox of this node. */
export class ProcessSandbox {
	readonly #environment: Environment;
	readonly #record: SandboxRecord;

	private constructor(environment: Environment, record: SandboxRecord) {
		this.#environment = environment;
		this.#record = record;
	}

	static async create(environment: Environment, id: string, config: SandboxConfig): Promise<ProcessSandbox> {
		const holder = await startHolder(config);
		const record = { id, config, createdAtMs: environment.clock.now(), holder };
		const sandbox = new ProcessSandbox(environment, record);
		try {
			if (!config.hostIpc) {
				mkdirSync(sandbox.sharedMemory, { recursive: true });
				chmodSync(sandbox.sharedMemory, 0o1777);
			}
			if (sandbox.cgroup !== undefined) environment.cgroups.createParent(sandbox.cgroup, config.cgroup ?? {});
			writeRecord(recordPath(environment, id), record);
			return sandbox;
		} catch (error) {
			await sandbox.stop();
			await sandbox.remove();
			throw error;
		}
	}

	static load(environment: Environment, file: string): ProcessSandbox | undefined {
		const record = readRecord<SandboxRecord>(`${environment.directory}/sandboxes/${file}`);
		return record === undefined || !file.endsWith(".json") ? undefined : new ProcessSandbox(environment, record);
	}

	get id(): string {
		return this.#record.id;
	}

	get config(): SandboxConfig {
		return this.#record.config;
	}

	get isReady(): boolean {
		return isAlive(this.#record.holder);
	}

	get holderPid(): number {
		return this.#record.holder.pid;
	}

	/** On the node, what its containers see as /dev/shm. */
	get sharedMemory(): string {
		return this.config.hostIpc ? "/dev/shm" : `${this.#environment.sharedMemory}/${this.id}`;
	}

	/** Name of the control group above its containers'; undefined where the pod has no limits of its own. */
	get cgroup(): string | undefined {
		const { cgroup, podUid, attempt } = this.config;
		// Who looks for the pod's group looks for its UID in the name, as kubelets make it.
		return cgroup !== undefined && hasLimits(cgroup) ? `pod${podUid}${attempt === 0 ? "" : `-${attempt}`}` : undefined;
	}

	update(limits: ResourceLimits): void {
		if (this.cgroup === undefined) throw new Error("a pod that was made without limits cannot be given any");
		this.#environment.cgroups.update(this.cgroup, limits);
		this.#record.config = { ...this.config, cgroup: limits };
		writeRecord(recordPath(this.#environment, this.id), this.#record);
	}

	describe(): Sandbox {
		const { id, config, createdAtMs, holder } = this.#record;
		return {
			id,
			config,
			state: this.isReady ? "ready" : "notReady",
			createdAtMs,
			...(config.hostNetwork ? {} : { networkNamespace: `/proc/${holder.pid}/ns/net` }),
		};
	}

	/** The command that enters the namespaces a container shares with its pod. */
	enterArguments(): string[] {
		const { config } = this.#record;
		const shared = [
			...(config.hostNetwork ? [] : ["--net", "--uts"]),
			...(config.hostIpc ? [] : ["--ipc"]),
			...(config.sharePid && !config.hostPid ? ["--pid"] : []),
		];
		return shared.length === 0 ? [] : ["nsenter", `--target=${this.holderPid}`, ...shared, "--"];
	}

	stop(): Promise<void> {
		return killAndWait(this.#record.holder, this.#environment.clock);
	}

	async remove(): Promise<void> {
		const { cgroups, clock } = this.#environment;
		if (this.cgroup !== undefined) await cgroups.remove(this.cgroup, clock);
		if (!this.config.hostIpc) await removeDirectory(this.sharedMemory);
		rmSync(recordPath(this.#environment, this.id), { force: true });
	}
}

/** Most are empty, and gone in one step. */
async function removeDirectory(path: string): Promise<void> {
	try {
		rmdirSync(path);
	} catch {
		await rm(path, { recursive: true, force: true });
	}
}

function recordPath(environment: Environment, id: string): string {
	return `${environment.directory}/sandboxes/${id}.json`;
}

function startHolder(config: SandboxConfig): Promise<ProcessId> {
	const ownPid = config.sharePid && !config.hostPid;
	const namespaces = [
		...(config.hostNetwork ? [] : ["--net", "--uts"]),
		...(config.hostIpc ? [] : ["--ipc"]),
		...(ownPid ? ["--pid", "--fork", "--kill-child"] : []),
	];
	const [program = "sh", ...args] = [
		...(namespaces.length > 0 ? ["unshare", ...namespaces] : []),
		"sh",
		"-c",
		holderScript(config, ownPid),
	];
	return new Promise((resolve, reject) => {
		const child = spawn(program, args, {
			detached: true,
			cwd: "/",
			stdio: ["ignore", "pipe", "pipe"],
			env: toolEnvironment,
		});
		let stderr = "";
		child.stderr.on("data", (chunk) => {
			stderr += chunk;
		});
		child.stdout.once("data", (chunk) => {
			const holder = identify(Number(chunk.toString()));
			child.stdout.destroy();
			child.stderr.destroy();
			child.unref();
			if (holder === undefined) reject(new Error("the sandbox ended at once"));
			else resolve(holder);
		});
		child.on("error", reject);
		child.on("exit", (code) => reject(new Error(`cannot make the sandbox: ${stderr.trim() || `exit code ${code}`}`)));
	});
}

function holderScript(config: SandboxConfig, ownPid: boolean): string {
	const hostname = shellQuote(config.hostname);
	const network = config.hostNetwork
		? ""
		: `{ echo ${hostname} >/proc/sys/kernel/hostname; } 2>/dev/null || hostname ${hostname}\nip link set lo up\n`;
	const sysctls = Object.entries(config.sysctls).map(([name, value]) => {
		const problem = sysctlProblem(name, config);
		if (problem !== undefined) throw new Error(problem);
		return `printf '%s\\n' ${shellQuote(value)} >${shellQuote(`/proc/sys/${sysctlPath(name)}`)}\n`;
	});
	// PID 1 of a shared PID namespace reaps: a shell's `wait` collects every child, also those it never started.
	const rest = ownPid ? "while :; do sleep infinity & wait $!; done" : "exec sleep infinity";
	return `set -e\nread pid rest </proc/self/stat\n${network}${sysctls.join("")}echo $pid\nset +e\nexec </dev/null >/dev/null 2>&1\n${rest}`;
}

/** Nothing of the whole machine, and nothing of a namespace that the pod shares with its node, whoever let the pod pass. */
function sysctlProblem(name: string, { hostNetwork, hostIpc }: SandboxConfig): string | undefined {
	const namespace = isSysctlName(name) ? sysctlNamespace(dottedSysctl(name)) : undefined;
	if (namespace === undefined) return `sysctl ${JSON.stringify(name)} is not known to be namespaced`;
	const isShared = namespace === "IPC" ? hostIpc : hostNetwork;
	return isShared ? `sysctl ${JSON.stringify(name)} would change the node's own ${namespace} namespace` : undefined;
}
