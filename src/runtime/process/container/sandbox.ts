/** Pod sandboxes: a sleeping process that keeps the namespaces that a pod's containers share. */
import { spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { identify, isAlive, killAndWait, killChildren, type ProcessId } from "../../../linux/processes.ts";
import type { ResourceLimits, Sandbox, SandboxConfig } from "../../runtime.ts";
import { holdPlan, pickUserBase, sharedNamespaces, sharesPid } from "../launcher/hold.ts";
import { encodePlan } from "../launcher/plan.ts";
import { hasLimits } from "../machine/cgroups.ts";
import { readRecord, writeRecord } from "../machine/records.ts";
import type { Environment } from "./environment.ts";

/** For a pod without namespaces of its own. */
const nobody: ProcessId = { pid: 0, startTime: "0" };

interface SandboxRecord {
	id: string;
	config: SandboxConfig;
	createdAtMs: number;
	holder: ProcessId;
	/** Control groups for containers that need none of their own; undefined: each needs one. */
	groups?: string[] | undefined;
	/** The machine's user ID of user 0 of the pod; absent: the pod has no user namespace. */
	userBase?: number;
}

/** A sandbox of this node. */
export class ProcessSandbox {
	readonly #environment: Environment;
	readonly #record: SandboxRecord;

	private constructor(environment: Environment, record: SandboxRecord) {
		this.#environment = environment;
		this.#record = record;
	}

	/** @param others existing sandboxes of the node */
	static async create(
		environment: Environment,
		id: string,
		config: SandboxConfig,
		others: Iterable<ProcessSandbox>,
	): Promise<ProcessSandbox> {
		const { clock } = environment;
		if (config.ownUsers === true && environment.rootless)
			throw new Error("a pod has a user namespace of its own (hostUsers: false) only on nodes that root runs");
		const taken = new Set([...others].flatMap((other) => other.userBase ?? []));
		const userBase = config.ownUsers === true ? pickUserBase(taken, () => clock.random()) : undefined;
		const holder = await startHolder(environment, id, config, userBase);
		const record: SandboxRecord = { id, config, createdAtMs: clock.now(), holder };
		if (userBase !== undefined) record.userBase = userBase;
		const sandbox = new ProcessSandbox(environment, record);
		try {
			if (hasLimits(config.cgroup ?? {})) environment.cgroups.createParent(sandbox.groupName, config.cgroup ?? {});
			if (config.pidsLimit !== undefined)
				record.groups = environment.cgroups.boundPids(sandbox.groupName, config.pidsLimit);
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

	get userBase(): number | undefined {
		return this.#record.userBase;
	}

	get holderPid(): number {
		return this.#record.holder.pid;
	}

	/** Name of the control group above its containers'; undefined if the pod has no limits of its own. */
	get cgroup(): string | undefined {
		const { cgroup = {}, pidsLimit } = this.config;
		return hasLimits(cgroup) || pidsLimit !== undefined ? this.groupName : undefined;
	}

	get groupName(): string {
		const { podUid, attempt } = this.config;
		// Tools find the pod's group by the UID in its name, as with kubelets.
		return `pod${podUid}${attempt === 0 ? "" : `-${attempt}`}`;
	}

	/** The control groups that a container without limits joins; undefined if it needs one of its own. */
	get groups(): string[] | undefined {
		const { cgroup = {}, pidsLimit } = this.config;
		if (hasLimits(cgroup)) return undefined;
		return pidsLimit === undefined ? [] : this.#record.groups;
	}

	update(limits: ResourceLimits): void {
		if (!hasLimits(this.config.cgroup ?? {})) throw new Error("a pod that was made without limits cannot be given any");
		this.#environment.cgroups.update(this.groupName, limits);
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

	/** The namespaces that a container shares with its pod, as flags, and the process that owns them; 0 for none. */
	get namespaces(): { holder: ProcessId; shared: number; sharedPid: boolean } {
		const { config, holder } = this.#record;
		const shared = sharedNamespaces(config);
		const sharedPid = sharesPid(config);
		const none = shared === 0 && !sharedPid && this.userBase === undefined;
		return { holder: none ? nobody : holder, shared, sharedPid };
	}

	stop(): Promise<void> {
		return killAndWait(this.#record.holder, this.#environment.clock);
	}

	async remove(): Promise<void> {
		const { cgroups, clock } = this.#environment;
		if (this.cgroup !== undefined) await cgroups.remove(this.cgroup, clock);
		rmSync(recordPath(this.#environment, this.id), { force: true });
	}
}

function recordPath(environment: Environment, id: string): string {
	return `${environment.directory}/sandboxes/${id}.json`;
}

/**
 * Starts the process that keeps the pod's namespaces.
 * @throws Error that names what could not be created
 */
function startHolder(
	{ launcher, directory, clock, startLimitMs }: Environment,
	id: string,
	config: SandboxConfig,
	userBase: number | undefined,
): Promise<ProcessId> {
	const plan = `${directory}/sandboxes/${id}.plan`;
	writeFileSync(plan, encodePlan(holdPlan(config, userBase)), { mode: 0o600 });
	return new Promise((resolve, reject) => {
		const child = spawn(launcher, [plan], { detached: true, cwd: "/", stdio: ["ignore", "pipe", "pipe"], env: {} });
		let stdout = "";
		let stderr = "";
		const late = clock.after(startLimitMs, () => {
			stderr = `it was not there within ${startLimitMs / 1000} s`;
			if (child.pid !== undefined) killChildren(child.pid);
			child.kill("SIGKILL");
		});
		child.stdout.on("data", (chunk) => {
			stdout += chunk;
		});
		child.stderr.on("data", (chunk) => {
			stderr += chunk;
		});
		child.on("error", (error) => {
			late.cancel();
			reject(error);
		});
		child.on("close", (code) => {
			late.cancel();
			const holder = stdout === "" ? undefined : identify(Number(stdout));
			if (holder !== undefined) resolve(holder);
			else reject(new Error(`cannot make the sandbox: ${stderr.trim() || `exit code ${code}`}`));
		});
	});
}
