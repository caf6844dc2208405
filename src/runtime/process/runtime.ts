/**
 * Containers as processes of this machine, which serves as their image. Runs inside a node's namespaces (see
 * network/machine.ts) and needs only util-linux. The state of a container is in its record on disk and in its own
 * processes, so that a restarted agent finds everything.
 */
import { randomUUID } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../../core/time/clock.ts";
import { namesIn } from "../../linux/if-there.ts";
import { allPids, namespaceOf, usage } from "../../linux/processes.ts";
import { planRootView } from "../../linux/rootview.ts";
import { listDirectory, readMounts } from "../../linux/rootview-files.ts";
import type { ContainerConfig, ContainerStats, Runtime } from "../runtime.ts";
import { ProcessContainer } from "./container/container.ts";
import type { Environment } from "./container/environment.ts";
import { ProcessSandbox } from "./container/sandbox.ts";
import { attach, Connector, exec } from "./container/streams.ts";
import { ImageService, type ImageServiceOptions } from "./images/image-service.ts";
import { createImageTable, standInDirectory } from "./images/images.ts";
import { findCredentials, noCredentials } from "./launcher/credentials.ts";
import { findLauncher } from "./launcher/program.ts";
import { assetsDirectory } from "./machine/assets.ts";
import { openCgroups } from "./machine/cgroups.ts";
import { Trash } from "./machine/trash.ts";
import { FifoStore } from "./output/fifos.ts";
import { canReclaim } from "./output/raw-stream.ts";
import { createSeccompFilters } from "./seccomp/filters.ts";

export interface ProcessRuntimeOptions {
	clock: Clock;
	/** For state that outlives the agent; absolute. */
	directory: string;
	/** For the writable layers of containers, inside the node: `NodeHolder.scratchDirectory`. */
	scratchDirectory: string;
	/** Directories that no container may see: those of the cluster. */
	hidden: readonly string[];
	/** Additional ones, determined at the start of each container. */
	hiddenNow?: () => readonly string[];
	/** `NodeHolder.cgroup`; undefined: limits are not enforced. */
	cgroup?: string;
	/** Control groups that only privileged containers join; default: none. */
	privilegedGroups?: readonly string[];
	/** The user's own image table, a YAML file; need not exist. */
	imageFile?: string;
	/** Whether containers see home directories, password hashes and keys of the machine. */
	showHome?: boolean;
	/** Directory of `Localhost` seccomp profiles; need not exist. Default: in `directory`. */
	seccompProfiles?: string;
	/** The program that carries out plans; default: this package's. */
	launcher?: string;
	/** The time limit for starting a sandbox or container; default: two minutes, upstream's timeout. */
	startLimitMs?: number;
	/** Images of registries; absent: only the machine's programs run. */
	images?: Partial<Pick<ImageServiceOptions, "store" | "pull" | "source" | "pullsAtOnce">>;
	/** Directory of the stand-ins for programs; default: this package's. */
	standIns?: string;
}

const usualStartLimitMs = 120_000;

export async function createProcessRuntime(options: ProcessRuntimeOptions): Promise<Runtime> {
	const listeners = new Set<(podUid: string) => void>();
	const rootless = !/^\s*0\s+0\s+4294967295/.test(readFileSync("/proc/self/uid_map", "utf8"));
	const mounts = readMounts();
	const standIns = options.standIns ?? assetsDirectory("stand-ins");
	for (const directory of ["containers", "sandboxes"])
		mkdirSync(`${options.directory}/${directory}`, { recursive: true });
	const empty = `${options.directory}/empty`;
	mkdirSync(empty, { recursive: true });
	chmodSync(empty, 0o755);
	const reclaims = await canReclaim(options.directory);
	const environment: Environment = {
		clock: options.clock,
		directory: options.directory,
		scratch: `${options.scratchDirectory}/containers`,
		hidden: () => [...new Set([...options.hidden, ...(options.hiddenNow?.() ?? [])])],
		rootless,
		launcher: options.launcher ?? findLauncher(options.directory),
		startLimitMs: options.startLimitMs ?? usualStartLimitMs,
		view: planRootView({ mounts, list: listDirectory, hidden: options.hidden, assembled: rootless }),
		mounts,
		images: new ImageService({
			table: createImageTable({
				assets: standIns,
				...(options.imageFile === undefined ? {} : { userFile: options.imageFile }),
			}),
			clock: options.clock,
			source: "auto",
			pullsAtOnce: 1,
			...options.images,
		}),
		cgroups: openCgroups(mounts, options.cgroup),
		privilegedGroups: options.privilegedGroups ?? [],
		trash: new Trash([options.directory, options.scratchDirectory]),
		fifos: new FifoStore(`${options.directory}/fifos`),
		seccomp: createSeccompFilters(options.seccompProfiles ?? `${options.directory}/seccomp`),
		credentials: options.showHome === true ? noCredentials : findCredentials(),
		empty,
		tools: [
			{ source: standIns, path: dirname(standInDirectory) },
			{ source: process.execPath, path: `${dirname(dirname(standInDirectory))}/node` },
		],
		changed: (podUid) => {
			for (const listener of listeners) listener(podUid);
		},
	};
	const load = <T extends { id: string }>(folder: string, read: (name: string) => T | undefined) =>
		new Map(
			namesIn(`${options.directory}/${folder}`)
				.flatMap((name) => read(name) ?? [])
				.map((item) => [item.id, item]),
		);
	const sandboxes = load("sandboxes", (name) => ProcessSandbox.load(environment, name));
	const containers = load("containers", (name) => ProcessContainer.load(environment, name));
	const connector = new Connector();

	const sandboxOf = (id: string): ProcessSandbox => found(sandboxes.get(id), `sandbox ${id}`);
	const containerOf = (id: string): ProcessContainer => found(containers.get(id), `container ${id}`);
	const containersIn = (sandboxId: string) =>
		[...containers.values()].filter((container) => container.sandboxId === sandboxId);
	/** @throws Error if the target container is not running */
	const targetOf = ({ config: { sharePid, hostPid } }: ProcessSandbox, { targetId }: ContainerConfig) => {
		// It sees all processes of the pod anyway.
		if (targetId === undefined || sharePid || hostPid) return undefined;
		const { init } = containerOf(targetId);
		return found(init, `a process of container ${targetId}, whose processes are to be seen,`);
	};
	const stopSandbox = async (id: string) => {
		connector.forget(id);
		await Promise.all([sandboxes.get(id)?.stop(), ...containersIn(id).map((container) => container.stop(0))]);
	};

	return {
		version: "process://0.1.0",
		limitations: async () => [
			...environment.cgroups.limitations,
			...(reclaims ? [] : [`output of running containers is kept twice: files in ${options.directory} cannot shrink`]),
			profileLimitation,
			...(options.showHome === true ? [homeLimitation] : []),
			...(rootless ? rootlessLimitations : []),
		],
		resolveImage: async (image, wanted) => environment.images.resolve(image, wanted),

		images: () => environment.images.list(),

		async createSandbox(config) {
			const same = [...sandboxes.values()].find(
				(sandbox) => sandbox.config.podUid === config.podUid && sandbox.config.attempt === config.attempt,
			);
			if (same !== undefined) return same.describe();
			const sandbox = await ProcessSandbox.create(environment, newId(), config, sandboxes.values());
			sandboxes.set(sandbox.id, sandbox);
			return sandbox.describe();
		},
		stopSandbox,
		async removeSandbox(id) {
			const sandbox = sandboxes.get(id);
			if (sandbox === undefined) return;
			await stopSandbox(id);
			await Promise.all(containersIn(id).map((container) => container.remove()));
			for (const container of containersIn(id)) containers.delete(container.id);
			await sandbox.remove();
			sandboxes.delete(id);
		},
		listSandboxes: async () => [...sandboxes.values()].map((sandbox) => sandbox.describe()),

		async createContainer(sandboxId, config) {
			const sandbox = sandboxOf(sandboxId);
			if (!sandbox.isReady) throw new Error(`sandbox ${sandboxId} is not ready`);
			const container = await ProcessContainer.create(environment, sandbox, newId(), config, targetOf(sandbox, config));
			containers.set(container.id, container);
			return container.describe();
		},
		startContainer: (id) => containerOf(id).start(),
		stopContainer: (id, graceMs) => containerOf(id).stop(graceMs),
		async removeContainer(id) {
			await containers.get(id)?.remove();
			containers.delete(id);
		},
		listContainers: async () => [...containers.values()].map((container) => container.describe()),
		writableLayers: (id) => (containers.has(id) ? [`${environment.scratch}/${id}`] : []),
		updateLimits: async (id, limits) => containerOf(id).update(limits),
		updateSandboxLimits: async (id, limits) => sandboxOf(id).update(limits),
		reopenLog: async (id) => containerOf(id).reopenLog(),

		exec: async (id, wanted) => exec(environment.launcher, containerOf(id), wanted),
		attach: async (id, wanted) => attach(containerOf(id), wanted),
		connect: (sandboxId, port, signal) => connector.connect(sandboxOf(sandboxId), port, signal),
		stats: async () => measure([...containers.values()]),
		onChange(listener) {
			listeners.add(listener);
		},
		async close() {
			listeners.clear();
			connector.close();
			for (const container of containers.values()) container.close();
			await environment.trash.emptied();
		},
	};
}

/** These mechanisms need programs that not every machine has. */
const profileLimitation =
	"no AppArmor or SELinux profile confines containers: appArmorProfile RuntimeDefault and seLinuxOptions have no effect, a Localhost profile of AppArmor is refused";

const homeLimitation =
	"containers see the home directories, password hashes and keys of this machine: 'cox up --show-home' asked for it";

const rootlessLimitations = [
	"without root, supplementalGroups and fsGroup have no effect: all files belong to one user",
	"without root, a container that changes users or file owners by itself fails",
	"without root, files of the machine that other users own cannot be changed in containers, not even in their private copies",
];

/** One pass over all processes, counted for the container whose namespace they are in. */
function measure(containers: readonly ProcessContainer[]): ContainerStats[] {
	const byNamespace = new Map<string, ContainerStats>();
	for (const container of containers) {
		const namespace = container.init === undefined ? undefined : namespaceOf(container.init.pid, "mnt");
		if (namespace === undefined) continue;
		byNamespace.set(namespace, { containerId: container.id, cpuNanoseconds: 0, memoryBytes: 0 });
	}
	if (byNamespace.size === 0) return [];
	for (const pid of allPids()) {
		const stats = byNamespace.get(namespaceOf(pid, "mnt") ?? "");
		const used = stats === undefined ? undefined : usage(pid);
		if (stats === undefined || used === undefined) continue;
		stats.cpuNanoseconds += used.cpuNanoseconds;
		stats.memoryBytes += used.memoryBytes;
	}
	return [...byNamespace.values()];
}

function newId(): string {
	return randomUUID().replaceAll("-", "");
}

function found<T>(value: T | undefined, what: string): T {
	if (value === undefined) throw new Error(`${what} does not exist`);
	return value;
}
