/** The record of a container on disk, and how it starts. */
import { readFileSync, statSync } from "node:fs";
import type { ProcessId } from "../../../linux/processes.ts";
import type { Container, ContainerConfig } from "../../runtime.ts";
import type { RunFiles } from "../launcher/image-root.ts";
import type { VolumeFiles } from "../launcher/volumes.ts";
import { hasLimits } from "../machine/cgroups.ts";
import type { Environment } from "./environment.ts";
import { type Identity, identityOf } from "./identity.ts";
import type { ProcessSandbox } from "./sandbox.ts";

export interface ContainerRecord {
	container: Container;
	podUid: string;
	/** Marks the end of the logs. */
	endMark: string;
	/** Name of its control groups, and their directories; empty without limits. */
	cgroup: string;
	cgroups: readonly string[];
	workingDir: string;
	env: readonly (readonly [string, string])[];
	identity: Identity;
	/** Replaces the image's default. */
	stopSignal?: string;
	/** Files of an image of the store; absent: the machine's. */
	files?: RunFiles;
	/** Of images that it mounts. */
	volumeFiles?: readonly VolumeFiles[];
	shim?: ProcessId;
	/** The container's first process. */
	init?: ProcessId;
	/** By it the processes of a container without a PID namespace of its own are found when its first one has ended. */
	mountNamespace?: string;
	failure?: string;
	/** Whether the container's processes end with its first one. */
	ownPid: boolean;
	/** They are in the node's own PID namespace. */
	hostPid?: boolean;
	/** First process of the container whose processes it sees, in whose namespace it starts. */
	target?: ProcessId;
	/** The machine's user ID of user 0 of its pod; absent: the pod has no user namespace. */
	userBase?: number;
}

export function newRecord(
	environment: Environment,
	sandbox: ProcessSandbox,
	id: string,
	config: ContainerConfig,
	target: ProcessId | undefined,
): ContainerRecord {
	const image = environment.images.runImage(config);
	const identity = identityOf(config.security, image.accounts, image.user);
	const cgroup = sandbox.cgroup === undefined ? id : `${sandbox.cgroup}/${id}`;
	const ownPid = !sandbox.config.hostPid && !sandbox.config.sharePid && target === undefined;
	const env = new Map([
		["HOSTNAME", sandbox.config.hostname],
		["HOME", identity.home],
		...image.env,
		...(config.tty ? [["TERM", "xterm"] as const] : []),
		...config.env.map(({ name, value }) => [name, value] as const),
	]);
	return {
		container: {
			id,
			sandboxId: sandbox.id,
			config,
			imageId: image.id,
			state: "created",
			createdAtMs: environment.clock.now(),
		},
		podUid: sandbox.config.podUid,
		endMark: `\u0001end of log ${crypto.randomUUID()}\u0001`,
		cgroup,
		cgroups: [
			...((hasLimits(config.limits) ? undefined : sandbox.groups) ?? environment.cgroups.create(cgroup, config.limits)),
			...(config.security.privileged ? environment.privilegedGroups : []),
		],
		workingDir: config.workingDir ?? image.workingDir,
		env: [...env],
		identity,
		volumeFiles: environment.images.volumeFiles(config.mounts),
		...((config.stopSignal ?? image.stopSignal) === undefined
			? {}
			: { stopSignal: config.stopSignal ?? image.stopSignal }),
		...(image.files === undefined ? {} : { files: image.files }),
		ownPid,
		...(target === undefined ? {} : { target }),
		hostPid: sandbox.config.hostPid,
		...(sandbox.userBase === undefined ? {} : { userBase: sandbox.userBase }),
	};
}

/** By Kubernetes' rules: a command in the pod also replaces the image's arguments. */
export function commandOf(environment: Environment, config: ContainerConfig): [string, ...string[]] {
	const image = environment.images.runImage(config);
	const own = config.command !== undefined && config.command.length > 0;
	const args = config.args !== undefined && config.args.length > 0 ? config.args : own ? [] : image.args;
	const [program, ...rest] = [...(own ? (config.command ?? []) : image.entrypoint), ...args];
	if (program === undefined) throw new Error(`no command specified for image "${config.image}"`);
	return [program, ...rest];
}

/** The directories with a container's files. */
export function places(environment: Environment, id: string): string[] {
	return [`${environment.directory}/containers/${id}`, `${environment.scratch}/${id}`];
}

/** The exit that the supervisor wrote; undefined while the container is running. */
export function readExit(path: string): { exitCode: number; atMs: number } | undefined {
	try {
		const text = readFileSync(path, "utf8");
		return /^\d+\n$/.test(text) ? { exitCode: Number(text), atMs: statSync(path).mtimeMs } : undefined;
	} catch {
		return undefined;
	}
}

/** Names of the pipes for a container's output. A terminal has only one stream. */
export function streamsOf(config: ContainerConfig): string[] {
	return config.tty ? ["out"] : ["out", "err"];
}

/** All pipes in a container's directory: see `start` in native/launcher/launcher.c. */
export function fifosOf(config: ContainerConfig): string[] {
	const streams = streamsOf(config);
	const input = config.stdin ? ["in"] : [];
	return [...(config.tty ? ["size"] : streams), ...streams.map((name) => `${name}.bell`), "ack", "status", ...input];
}
