/**
 * The Runtime seam: pod sandboxes and containers on one node. Modeled on the CRI (runtime.v1), so that containerd can
 * implement it unchanged. The node agent is its only user.
 *
 * Contract, checked by contract.ts: containers outlive the agent and are listed again after it restarts; every exit is
 * reported once by `onChange` and stays visible in `listContainers` until removed; stop respects the grace period, then
 * kills; remove leaves nothing behind; all calls are idempotent for an ID that is already in the desired state.
 */
import type { Duplex, Readable, Writable } from "node:stream";

/**
 * Annotation of a container: `true` if it is expected to complete, like an init container (except a sidecar) and any
 * container of a pod whose restartPolicy is not Always. A runtime cannot learn this from the program itself.
 */
export const runsToCompletionAnnotation = "coxswain.io/runs-to-completion";

export interface SandboxConfig {
	podUid: string;
	namespace: string;
	name: string;
	/** Attempt number, part of the ID. */
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
	/** Whether the pod has a user namespace (`hostUsers: false`). */
	ownUsers?: boolean;
	sysctls: Readonly<Record<string, string>>;
	labels: Readonly<Record<string, string>>;
	annotations: Readonly<Record<string, string>>;
	/** Limits of the whole pod; undefined: none. */
	cgroup?: ResourceLimits;
	/** Processes and threads of all its containers together; undefined: only the machine's limit applies. */
	pidsLimit?: number;
}

export interface Sandbox {
	id: string;
	config: SandboxConfig;
	state: "ready" | "notReady";
	createdAtMs: number;
	/**
	 * Path of the pod's network namespace for `Network.attachPod`: `/proc/PID/ns/net` or a pinned file. Absent with
	 * hostNetwork.
	 */
	networkNamespace?: string;
}

export interface Mount {
	/** `Image.id` of an image whose files are mounted instead of `hostPath`, read-only; `subPath` is in it. */
	image?: string;
	/**
	 * Absolute path on the node; empty for an image. A runtime that mounts it follows links: either only the agent may be able to change
	 * them, or `root` must be given.
	 */
	hostPath: string;
	/** A directory of the node that contains `hostPath`; links are resolved within it. */
	root?: string;
	/** A path below `hostPath` to be mounted instead; links that lead out of `hostPath` are rejected. */
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
	/** How many times the container with this name was started before in this pod. */
	attempt: number;
	/** As in the pod; `resolveImage` must have accepted it. */
	image: string;
	/** `Image.id` of that; absent: found by its name. */
	imageId?: string;
	/** Replace the image's entrypoint and arguments, by Kubernetes' rules; undefined: the image's. */
	command?: readonly string[];
	args?: readonly string[];
	workingDir?: string;
	env: readonly { name: string; value: string }[];
	mounts: readonly Mount[];
	tty: boolean;
	stdin: boolean;
	stdinOnce: boolean;
	/** Absolute path of the log file on the node, in CRI log format: `TIME stdout|stderr F|P LINE`. */
	logPath: string;
	security: {
		runAsUser?: number;
		runAsGroup?: number;
		supplementalGroups: readonly number[];
		/** `Strict`: only those; otherwise also the groups of the user in the image's /etc/group. */
		supplementalGroupsPolicy?: string;
		privileged: boolean;
		/** Nothing in /proc is hidden or read-only (`procMount: Unmasked`); only in pods with user namespaces. */
		unmaskedProc?: boolean;
		readOnlyRootFilesystem: boolean;
		capabilities: { add: readonly string[]; drop: readonly string[] };
		noNewPrivileges: boolean;
		/**
		 * `RuntimeDefault`, `Unconfined` or `Localhost/NAME`; undefined: not specified. A profile that is not supported is
		 * an error.
		 */
		seccompProfile?: string;
		appArmorProfile?: string;
	};
	limits: ResourceLimits;
	/** Its `oom_score_adj`, -1000 to 1000; undefined: 0. Without privileges not below the node's own value. */
	oomScoreAdj?: number;
	stopSignal?: string;
	/** ID of a running container of the sandbox whose processes this one sees; undefined: none. */
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

/** What a pod wants of an image. */
export interface ImageWanted {
	/** `Always`, `IfNotPresent`, `Never` */
	pullPolicy: string;
	/** Whether the container has a command of its own. */
	hasCommand: boolean;
	/** Its files are wanted, for a volume: programs of the machine cannot stand in for it. */
	needsFiles?: boolean;
	/** Where it comes from, if the pod says so. */
	source?: "auto" | "registry" | "machine";
	/** Of the pod, for the image's registry; called when it is pulled, or others have pulled it with theirs. */
	credentials?(): Promise<readonly { username: string; password: string; identityToken?: string }[]>;
	/** Called when a pull begins. */
	pulling?(): void;
	/** Aborted when nobody wants the image any more: ends its pull. */
	signal?: AbortSignal;
}

/** The properties of an image that are known before a container is created from it. */
export interface Image {
	id: string;
	/** `USER`, `UID:GROUP`; absent or empty: root. */
	user?: string;
	/** Everything that is pulled for it. */
	sizeBytes: number;
	/** Absent: it was there. */
	pulled?: { tookMs: number; withWaitingMs: number };
	/** What users should know about where it comes from. */
	note?: { message: string; isWarning: boolean };
}

export interface ExecOptions {
	command: readonly string[];
	tty: boolean;
	stdin: boolean;
	signal: AbortSignal;
}

export interface ExecSession {
	/** Absent unless requested. */
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
	/** Absent: not counted. */
	processes?: number;
}

/**
 * An image that is not available. `reason` is the waiting reason of the container: ErrImagePull, InvalidImageName,
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
	/** Features that this node lacks, one line each, for its conditions and `cox status`; empty if there are none. */
	limitations(): Promise<readonly string[]>;

	/** @throws ImageError */
	resolveImage(image: string, wanted: ImageWanted): Promise<Image>;

	/** The images that are on the machine, the largest first; absent: it has none. */
	images?(): readonly { names: readonly string[]; sizeBytes: number }[];
	/** Deletes images that no container uses; absent: it has none. */
	removeUnusedImages?(): Promise<void>;

	createSandbox(config: SandboxConfig): Promise<Sandbox>;
	/** Kills all its containers immediately and releases its namespaces. */
	stopSandbox(id: string): Promise<void>;
	removeSandbox(id: string): Promise<void>;
	listSandboxes(): Promise<Sandbox[]>;

	createContainer(sandboxId: string, config: ContainerConfig): Promise<Container>;
	/** A command that cannot be executed is not an error: the container is then `exited` with reason and message. */
	startContainer(id: string): Promise<void>;
	/** Sends the stop signal, and SIGKILL after `graceMs`. Resolves when the container has exited. */
	stopContainer(id: string, graceMs: number): Promise<void>;
	removeContainer(id: string): Promise<void>;
	listContainers(): Promise<Container[]>;
	updateLimits(id: string, limits: ResourceLimits): Promise<void>;
	/**
	 * Directories of the node that contain what the container has written outside of its volumes; absent if nothing is
	 * written.
	 */
	writableLayers?(id: string): readonly string[];
	/** For the whole pod, which was created with limits. */
	updateSandboxLimits(id: string, limits: ResourceLimits): Promise<void>;
	/** After the log file was renamed: continues in a new file. */
	reopenLog(id: string): Promise<void>;

	exec(id: string, options: ExecOptions): Promise<ExecSession>;
	/** Attaches to the running container's own streams. */
	attach(id: string, options: { stdin: boolean; signal: AbortSignal }): Promise<ExecSession>;
	/** A connection to a port inside the sandbox's network namespace. */
	connect(sandboxId: string, port: number, signal: AbortSignal): Promise<Duplex>;
	stats(): Promise<ContainerStats[]>;

	/** The sandboxes and containers of one pod, in any order; absent: listing all is as cheap. */
	ofPod?(podUid: string): Promise<{ sandboxes: Sandbox[]; containers: Container[] }>;

	/** Called with the sandbox's pod UID whenever a container or sandbox changes its state on its own. */
	onChange(listener: (podUid: string) => void): void;
	/** Releases all resources of the agent; containers continue to run. */
	close(): Promise<void>;
}
