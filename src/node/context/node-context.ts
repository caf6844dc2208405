/** Shared by the parts of one node's agent: the seams below it, and the services for pod workers. */
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../core/time/clock.ts";
import type {
	ClusterTrustBundle,
	ClusterTrustBundleProjection,
	Container as ContainerSpec,
	Pod,
	Probe,
	Service,
} from "../../kinds/generated/types.ts";
import type { NodeNetwork } from "../../network/network.ts";
import type { Container, ContainerConfig, Image, Mount, Runtime } from "../../runtime/runtime.ts";
import type { PodContainer } from "../pod/pod-state.ts";
import type { EventRecorder } from "./event-recorder.ts";
import type { KubeletConfiguration } from "./kubelet-configuration.ts";
import type { NodeMetrics } from "./node-metrics.ts";
import type { InMemoryRuntime, RuntimeView } from "./runtime-view.ts";

export interface NodeIdentity {
	name: string;
	/** IPv4 first. */
	addresses: readonly string[];
	/** The part of container ids before `://`. */
	runtimeName: string;
	/** `cluster.local` */
	clusterDomain: string;
	/** Address of the cluster's DNS; undefined: pods use the node's resolvers. */
	clusterDns?: string;
	/** Capacity for resource fields of containers without limits, in base units (cores, bytes). */
	allocatable: ReadonlyMap<string, number>;
}

/** The volumes of a pod, and the files that the agent creates for it. */
export interface PodFiles {
	/**
	 * Prepares all volumes of the pod for mounting. Idempotent.
	 * @throws VolumeError
	 */
	prepare(pod: Pod, signal: AbortSignal): Promise<void>;
	/**
	 * Mounts of one container: its volumes, /etc/hosts, /etc/resolv.conf, the termination message.
	 * @throws ConfigError if the spec requires something that is not available
	 */
	mounts(pod: Pod, container: ContainerSpec, start: MountContext): Promise<Mount[]>;
	/**
	 * Text of a file in one of the pod's volumes; undefined if there is none.
	 * @param path relative to the volume
	 * @throws ConfigError if it is not a text file of a reasonable size within the volume
	 */
	text(pod: Pod, volume: string, path: string): Promise<string | undefined>;
	/** What an exited container wrote to its termination message path, or the end of its log if its policy says so. */
	terminationMessage(pod: Pod, container: Container): Promise<string>;
	/** Absolute path of the container's log. */
	logPath(pod: Pod, container: string, attempt: number): string;
	/** Called after a container was created: creates the link in /var/log/containers. */
	linkLog(pod: Pod, container: Container): Promise<void>;
	/** Unmounts the pod's volumes; its logs remain. Idempotent. */
	release(podUid: string): Promise<void>;
	/** Removes all files of the pod, including its logs. */
	remove(pod: Pod): Promise<void>;
	/** An API object that the pod's volumes show has changed: updates the files in place. */
	refresh(pod: Pod): Promise<void>;
}

export interface MountContext {
	attempt: number;
	addresses: readonly string[];
	/** For `subPathExpr`. */
	env: readonly { name: string; value: string }[];
	/** `Image.id` of the images that are volumes, by volume. */
	volumeImages: ReadonlyMap<string, string>;
}

/** The pod requires something that is not available (yet): the container waits with CreateContainerConfigError. */
export class ConfigError extends Error {
	constructor(message: string) {
		super(message);
		this.name = "ConfigError";
	}
}

/** A volume that cannot be mounted (yet): a FailedMount event, and the pod waits. */
export class VolumeError extends Error {
	/** The missing object usually appears soon: an Event is only useful if the problem persists. */
	readonly pending: boolean;

	constructor(message: string, options: { pending?: boolean } = {}) {
		super(message);
		this.name = "VolumeError";
		this.pending = options.pending ?? false;
	}
}

/** Devices that the pod claims are not there (yet): a FailedPrepareDynamicResources event, and the pod waits. */
export class DeviceError extends Error {
	constructor(message: string) {
		super(message);
		this.name = "DeviceError";
	}
}

export type ProbeResult = { ok: true; warning?: string } | { ok: false; message: string; warning?: true };

/** Delivers the logs of terminated containers to the run history: see history/log-keeper.ts. */
export interface EndedLogs {
	ended(pod: Pod, container: Container): void;
	/** Resolves when the pod's log files may be deleted. */
	settle(podUid: string): Promise<void>;
}

/** Carries out a probe once. */
export type Prober = (
	target: { pod: Pod; container: ContainerSpec; id: string; addresses: readonly string[] },
	probe: Probe,
	signal: AbortSignal,
) => Promise<ProbeResult>;

/** ConfigMaps, Secrets and trust bundles that pods name. Objects are frozen; undefined if there is none. */
export interface References {
	configMap(
		namespace: string,
		name: string,
	): Promise<{ data?: Record<string, string>; binaryData?: Record<string, string> } | undefined>;
	secret(namespace: string, name: string): Promise<{ data?: Record<string, string> } | undefined>;
	/** The bundles that a volume asks for, by name or by signer and labels. */
	trustBundles(projection: ClusterTrustBundleProjection): Promise<readonly ClusterTrustBundle[]>;
	/** Watches the objects that the pod names until it is released; calls `changed` after each change of one. */
	hold(pod: Pod, changed: () => void): void;
	release(podUid: string): void;
}

export interface ContainerStart extends Pick<MountContext, "attempt" | "addresses" | "volumeImages"> {
	image: Image;
	/** Of the container whose processes it sees. */
	targetId?: string | undefined;
}

export interface NodeContext {
	client: Client;
	clock: Clock;
	runtime: Runtime;
	/** Present: container logs are in memory, and no files are written. */
	inMemory?: InMemoryRuntime;
	view: RuntimeView;
	network?: NodeNetwork;
	node: NodeIdentity;
	configuration: KubeletConfiguration;
	events: EventRecorder;
	/** The message of an error for the owner of a pod, for a status or an Event. */
	words(error: unknown): string;
	/** Absent on a simulated node, which writes no files. */
	files?: PodFiles;
	/** Called for every terminated container, usually once per ID. */
	endedLogs?: EndedLogs;
	/** Absent: nothing is counted. */
	metrics?: NodeMetrics;
	references: References;
	prober: Prober;
	/** Services of a namespace, for environment variables. */
	services(namespace: string): Iterable<Service>;
	/** The resources that the pod's specification requests and the node cannot provide, as text; undefined if it fits. */
	shortage(pod: Pod): string | undefined;
	/** A pod has to keep its resources: those that it requested are available to other pods. */
	resizeWaits(): void;
	/**
	 * Builds the runtime's configuration of a container.
	 * @throws ConfigError
	 */
	containerConfig(pod: Pod, container: PodContainer, start: ContainerStart): Promise<ContainerConfig>;
}
