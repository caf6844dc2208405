/**
 * The Runtime seam: pod sandboxes and containers on one node. Shaped after the CRI (runtime.v1), so that containerd
 * fits behind it as it is. The node agent is its only user.
 *
 * Contract, checked by contract.ts: containers outlive the agent and are listed again after it restarts; every exit is
 * reported once by `onChange` and stays visible in `listContainers` until removed; stop honours the grace period, then
 * kills; remove leaves nothing behind; all calls are idempotent for an id that is already in the wanted state.
 */
import type { Duplex, Readable, Writable } from "node:stream";

/**
 * Annotation of a container: `true` when it is meant to end, as an init container that is no sidecar is, and any
 * container of a pod whose restartPolicy is not Always. What no runtime can learn from the program itself.
 */
export const runsToCompletionAnnotation = "coxswain.io/runs-to-completion";

export interface SandboxConfig {
	podUid: string;
	namespace: string;
	name: string;
	/** Attempt number, part of the id. */
	attempt: number;
	hostname: string;
	/**
	 * Whether the pod shares the node's namespaces (hostNetwork, hostPID, hostIPC) or its containers share one PID
	 * namespace.
	 */
	hostNetwork: boolean;
	hostPid: boolean;
	hostIpc: boolean;
	sharePid: boolean;
	/** Whether its users are none of the node's (`hostUsers: false`). */
	ownUsers?: boolean;
	sysctls: Readonly<Record<string, string>>;
	labels: Readonly<Record<string, string>>;
	annotations: Readonly<Record<string, string>>;
	/** Limits of the whole pod; undefined for none. */
	cgroup?: ResourceLimits;
	/** Processes and threads of all its containers together; undefined: no bound but the machine's. */
	pidsLimit?: number;
}

export interface Sandbox {
	id: string;
	config: SandboxConfig;
	state: "ready" | "notReady";
	createdAtMs: number;
	/**
	 * Where the pod's network namespace is, for `Network.attachPod`: `/proc/PID/ns/net` or a pinned file. Absent with
	 * hostNetwork.
	 */
	networkNamespace?: string;
}

export interface Mount {
	/**
	 * Absolute path on the node. Where a runtime mounts it itself, links on the way are followed when it does: nobody but
	 * the agent may be able to change them, or `root` must be given.
	 */
	hostPath: string;
	/** A directory of the node that `hostPath` is a path below; links on the way lead there and not out of it. */
	root?: string;
	/** A path below `hostPath` to be mounted in its place; links on the way that lead out of `hostPath` are refused. */
	subPath?: string;
	/** Absolute path in the container. */
	containerPath: string;
	readOnly: boolean;
	propagation: "None" | "HostToContainer" | "Bidirectional";
}

export interface ResourceLimits {
	/** CPU weight in Kubernetes' millicores. */
	cpuRequestMillis?: number;
	cpuLimitMillis?: number;
	memoryLimitBytes?: number;
	pidsLimit?: number;
}

export interface ContainerConfig {
	name: string;
	/** How many times the container of this name was started before in this pod. */
	attempt: number;
	/** As written in the pod; `resolveImage` must have accepted it. */
	image: string;
	/** Replace the image's entrypoint and arguments, with Kubernetes' rules; undefined: as the image has it. */
	command?: readonly string[];
	args?: readonly string[];
	workingDir?: string;
	env: readonly { name: string; value: string }[];
	mounts: readonly Mount[];
	tty: boolean;
	stdin: boolean;
	stdinOnce: boolean;
	/** Absolute path of the log file on the node, CRI log format: `TIME stdout|stderr F|P LINE`. */
	logPath: string;
	security: {
		runAsUser?: number;
		runAsGroup?: number;
		supplementalGroups: readonly number[];
		/** `Strict`: none but those; otherwise also those the image's /etc/group has the user in. */
		supplementalGroupsPolicy?: string;
		privileged: boolean;
		/** Nothing of /proc is hidden or read-only (`procMount: Unmasked`); only in pods with users of their own. */
		unmaskedProc?: boolean;
		readOnlyRootFilesystem: boolean;
		capabilities: { add: readonly string[]; drop: readonly string[] };
		noNewPrivileges: boolean;
		/**
		 * `RuntimeDefault`, `Unconfined` or `Localhost/NAME`; undefined: not said. One that cannot be enforced is an error.
		 */
		seccompProfile?: string;
		appArmorProfile?: string;
	};
	limits: ResourceLimits;
	/** Its `oom_score_adj`, -1000 to 1000; undefined: 0. Not below the node's own value without the right to. */
	oomScoreAdj?: number;
	stopSignal?: string;
	/** Id of a running container of the sandbox, whose processes this one is to see; undefined: none's. */
	targetId?: string;
	labels: Readonly<Record<string, string>>;
	annotations: Readonly<Record<string, string>>;
}

export interface Container {
	id: string;
	sandboxId: string;
	config: ContainerConfig;
	imageId: string;
	state: "created" | "running" | "exited";
	createdAtMs: number;
	startedAtMs?: number;
	finishedAtMs?: number;
	/** 128 + signal number for a container that a signal ended. */
	exitCode?: number;
	/** `Completed`, `Error`, `OOMKilled`, `ContainerCannotRun`, `StartError`. */
	reason?: string;
	message?: string;
}

/** What is known of an image before a container is made of it. */
export interface Image {
	id: string;
	entrypoint: readonly string[];
	args: readonly string[];
	env: readonly { name: string; value: string }[];
	user?: string;
	sizeBytes: number;
}

export interface ExecOptions {
	command: readonly string[];
	tty: boolean;
	stdin: boolean;
	signal: AbortSignal;
}

export interface ExecSession {
	/** Absent when not asked for. */
	stdin?: Writable;
	stdout: Readable;
	/** Absent with a terminal, whose output is all on stdout. */
	stderr?: Readable;
	/** Ignored without a terminal and for sizes of 0. */
	resize(columns: number, rows: number): void;
	/** Resolves when the command has ended and its output has been read. */
	exitCode: Promise<number>;
}

export interface ContainerStats {
	containerId: string;
	cpuNanoseconds: number;
	memoryBytes: number;
}

/**
 * An image that cannot be had. `reason` is the waiting reason of the container: ErrImagePull, InvalidImageName,
 * ErrImageNeverPull.
 */
export class ImageError extends Error {
	readonly reason: string;
	constructor(reason: string, message: string) {
		super(message);
		this.name = "ImageError";
		this.reason = reason;
	}
}

export interface Runtime {
	/** As in Node's `status.nodeInfo.containerRuntimeVersion`: `name://version`. */
	readonly version: string;
	/** What this node cannot do, a line each, for its conditions and `cox status`; empty when all is well. */
	limitations(): Promise<readonly string[]>;

	/** @throws ImageError */
	resolveImage(image: string, options: { pullPolicy: string; hasCommand: boolean }): Promise<Image>;

	createSandbox(config: SandboxConfig): Promise<Sandbox>;
	/** Kills all its containers immediately and frees its namespaces. */
	stopSandbox(id: string): Promise<void>;
	removeSandbox(id: string): Promise<void>;
	listSandboxes(): Promise<Sandbox[]>;

	createContainer(sandboxId: string, config: ContainerConfig): Promise<Container>;
	/** A command that cannot be run is no error here: the container is then `exited` with reason and message. */
	startContainer(id: string): Promise<void>;
	/** Stop signal, then KILL after `graceMs`. Resolves when it has exited. */
	stopContainer(id: string, graceMs: number): Promise<void>;
	removeContainer(id: string): Promise<void>;
	listContainers(): Promise<Container[]>;
	updateLimits(id: string, limits: ResourceLimits): Promise<void>;
	/**
	 * Directories of the node that hold what the container has written outside its volumes; absent where nothing is
	 * written.
	 */
	writableLayers?(id: string): readonly string[];
	/** Of the whole pod, which was made with limits. */
	updateSandboxLimits(id: string, limits: ResourceLimits): Promise<void>;
	/** After the log file was renamed: continues in a new file. */
	reopenLog(id: string): Promise<void>;

	exec(id: string, options: ExecOptions): Promise<ExecSession>;
	/** Joins the running container's own streams. */
	attach(id: string, options: { stdin: boolean; signal: AbortSignal }): Promise<ExecSession>;
	/** A connection to a port inside the sandbox's network namespace. */
	connect(sandboxId: string, port: number, signal: AbortSignal): Promise<Duplex>;
	stats(): Promise<ContainerStats[]>;

	/** Called with the sandbox's pod UID whenever a container or sandbox changes state on its own. */
	onChange(listener: (podUid: string) => void): void;
	/** Detaches from everything; containers keep running. */
	close(): Promise<void>;
}
