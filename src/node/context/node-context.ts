/** What the parts of one node's agent share: the seams below it and the services that pods' workers use. */
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../core/clock.ts";
import type { Container as ContainerSpec, Pod, Probe, Service } from "../../kinds/generated/types.ts";
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
	/** Capacity for resource fields of containers without limits, base units (cores, bytes). */
	allocatable: ReadonlyMap<string, number>;
}

/** A pod's volumes and the files that the agent makes for it. */
export interface PodFiles {
	/**
	 * Makes all volumes of the pod ready to be mounted. Idempotent.
	 * @throws VolumeError
	 */
	prepare(pod: Pod, signal: AbortSignal): Promise<void>;
	/**
	 * Mounts of one container: its volumes, /etc/hosts, /etc/resolv.conf, the termination message.
	 * @throws ConfigError for what the spec asks and cannot be had
	 */
	mounts(pod: Pod, container: ContainerSpec, start: MountContext): Promise<Mount[]>;
	/**
	 * Text of a file in one of the pod's volumes; undefined when there is none.
	 * @param path relative to the volume
	 * @throws ConfigError when it is no text file of a reasonable size within the volume
	 */
	text(pod: Pod, volume: string, path: string): Promise<string | undefined>;
	/** What an exited container wrote to its termination message path, with the log's end where its policy says so. */
	terminationMessage(pod: Pod, container: Container): Promise<string>;
	/** Where the container's log goes, absolute. */
	logPath(pod: Pod, container: string, attempt: number): string;
	/** After a container was made: the link under /var/log/containers. */
	linkLog(pod: Pod, container: Container): Promise<void>;
	/** Gives back what was mounted; the pod's logs stay. Idempotent. */
	release(podUid: string): Promise<void>;
	/** Removes everything there is of the pod, its logs too. */
	remove(pod: Pod): Promise<void>;
	/** Something that the pod's volumes show has changed; shows it in place. */
	refresh(pod: Pod): Promise<void>;
}

export interface MountContext {
	attempt: number;
	addresses: readonly string[];
	/** For `subPathExpr`. */
	env: readonly { name: string; value: string }[];
}

/** The pod asks what cannot be had (yet): the container waits with CreateContainerConfigError. */
export class ConfigError extends Error {
	constructor(message: string) {
		super(message);
		this.name = "ConfigError";
	}
}

/** A volume that cannot be mounted (yet): a FailedMount event, and the pod waits. */
export class VolumeError extends Error {
	/**
	 * What is missing is on its way as a rule, or so new that it does not show yet: only worth an event when it stays so.
	 */
	readonly pending: boolean;

	constructor(message: string, options: { pending?: boolean } = {}) {
		super(message);
		this.name = "VolumeError";
		this.pending = options.pending ?? false;
	}
}

export type ProbeResult = { ok: true; warning?: string } | { ok: false; message: string; warning?: true };

/** Brings the logs of ended containers to those who keep them: see history/log-keeper.ts. */
export interface EndedLogs {
	ended(pod: Pod, container: Container): void;
	/** Resolves when the pod's log files may go. */
	settle(podUid: string): Promise<void>;
}

/** Does what a probe says, once. */
export type Prober = (
	target: { pod: Pod; container: ContainerSpec; id: string; addresses: readonly string[] },
	probe: Probe,
	signal: AbortSignal,
) => Promise<ProbeResult>;

/** ConfigMaps and Secrets that pods name. Frozen objects; undefined where there is none. */
export interface References {
	configMap(
		namespace: string,
		name: string,
	): Promise<{ data?: Record<string, string>; binaryData?: Record<string, string> } | undefined>;
	secret(namespace: string, name: string): Promise<{ data?: Record<string, string> } | undefined>;
	/** Watches what the pod names, until it is released; `changed` is called when any of it has changed. */
	hold(pod: Pod, changed: () => void): void;
	release(podUid: string): void;
}

export interface NodeContext {
	client: Client;
	clock: Clock;
	runtime: Runtime;
	/** Present: containers have their logs there and write no files. */
	inMemory?: InMemoryRuntime;
	view: RuntimeView;
	network?: NodeNetwork;
	node: NodeIdentity;
	configuration: KubeletConfiguration;
	events: EventRecorder;
	/** An error as a pod's owner may read it, in a status or an Event. */
	words(error: unknown): string;
	/** Absent on a simulated node, which writes no files. */
	files?: PodFiles;
	/** Called for every terminated container, once per ID if possible. */
	endedLogs?: EndedLogs;
	/** Absent: nothing is counted. */
	metrics?: NodeMetrics;
	references: References;
	prober: Prober;
	/** Services of a namespace, for environment variables. */
	services(namespace: string): Iterable<Service>;
	/** What the pod's specification asks beyond what the node has left, in words; undefined when it fits. */
	shortage(pod: Pod): string | undefined;
	/** A pod has to do with what it has: what it asked for is there for others. */
	resizeWaits(): void;
	/** Builds the runtime's configuration of a container. @throws ConfigError */
	containerConfig(
		pod: Pod,
		container: PodContainer,
		start: { attempt: number; image: Image; addresses: readonly string[]; targetId?: string | undefined },
	): Promise<ContainerConfig>;
}
