/** Configurations of sandboxes and containers in the words of CRI. Pure. */
import type { ContainerConfig, Mount, ResourceLimits, Sandbox, SandboxConfig } from "../runtime.ts";
import type { Draft, Message } from "./wire/message.ts";
import { type messages, mountPropagation, namespaceMode, profileType, signalNumber } from "./wire/messages.ts";

type DraftOf<M> = M extends Message<infer F> ? Draft<F> : never;
export type CriSandboxConfig = DraftOf<typeof messages.sandboxConfig>;
export type CriContainerConfig = DraftOf<typeof messages.containerConfig>;
type CriResources = DraftOf<typeof messages.resources>;

/** Annotation with the whole configuration as JSON: CRI tells only parts of it. Environments are left out. */
const recordAnnotation = "coxswain.io/config";
/** Label of everything that belongs to one node. */
export const ownerLabel = "coxswain.io/owner";
const periodMicros = 100_000;

export interface ConfigOptions {
	/** Value of `ownerLabel`. */
	owner: string;
	/** Name of the node's control group below each hierarchy's root; undefined: the runtime's choice. */
	cgroup?: string | undefined;
	/** Absolute path of the directory of Localhost seccomp profiles. */
	seccompProfiles: string;
}

/** Control group of a pod, below the node's. */
export function podGroup({ podUid, attempt }: SandboxConfig): string {
	return `pod${podUid}${attempt === 0 ? "" : `-${attempt}`}`;
}

/**
 * @param privileged it is told for a privileged container: the sandbox's own process is never one
 * @throws Error for what is not supported
 */
export function criSandboxConfig(
	config: SandboxConfig,
	{ owner, cgroup }: ConfigOptions,
	privileged = false,
): CriSandboxConfig {
	if (config.ownUsers === true) throw new Error("hostUsers: false is not supported by nodes with containerd");
	const { podUid, namespace, name, attempt, hostname, labels, annotations, sysctls } = config;
	return {
		metadata: { uid: podUid, namespace, name, attempt },
		// With the node's network, a pod has the node's host name, too.
		...(config.hostNetwork ? {} : { hostname }),
		// Containers give absolute paths.
		logDirectory: "/",
		labels: { ...labels, [ownerLabel]: owner },
		annotations: { ...annotations, [recordAnnotation]: JSON.stringify(config) },
		linux: {
			...(cgroup === undefined ? {} : { cgroupParent: `/${cgroup}/${podGroup(config)}` }),
			securityContext: {
				namespaceOptions: namespacesOf(config),
				privileged,
				seccomp: { profileType: profileType.RuntimeDefault },
			},
			sysctls,
		},
	};
}

/** What a container's configuration needs besides. */
export interface ContainerParts {
	sandbox: SandboxConfig;
	/** The name by which the runtime knows the image. */
	image: string;
	/** With neither `root` nor `subPath`. */
	mounts: readonly Mount[];
}

export function criContainerConfig(
	config: ContainerConfig,
	{ sandbox, image, mounts }: ContainerParts,
	options: ConfigOptions,
): CriContainerConfig {
	const { name, attempt, command = [], args = [], env, limits, oomScoreAdj, stopSignal } = config;
	return {
		metadata: { name, attempt },
		image: { image, userSpecifiedImage: config.image },
		command,
		args,
		...(config.workingDir === undefined ? {} : { workingDir: config.workingDir }),
		envs: env.map(({ name: key, value }) => ({ key, value })),
		mounts: mounts.map(criMount),
		labels: { ...config.labels, [ownerLabel]: options.owner },
		annotations: { ...config.annotations, [recordAnnotation]: JSON.stringify({ ...config, env: [] }) },
		logPath: config.logPath.replace(/^\//, ""),
		stdin: config.stdin,
		stdinOnce: config.stdinOnce,
		tty: config.tty,
		linux: {
			resources: { ...criResources(limits), ...(oomScoreAdj === undefined ? {} : { oomScoreAdj }) },
			securityContext: criSecurity(config, sandbox, options),
		},
		...(stopSignal === undefined ? {} : { stopSignal: signalNumber(stopSignal) }),
	};
}

export function criResources({ cpuRequestMillis, cpuLimitMillis, memoryLimitBytes }: ResourceLimits): CriResources {
	return {
		...(cpuRequestMillis === undefined ? {} : { cpuShares: Math.max(2, Math.floor((cpuRequestMillis * 1024) / 1000)) }),
		...(cpuLimitMillis === undefined
			? {}
			: {
					cpuPeriod: periodMicros,
					cpuQuota: Math.max(1000, Math.floor((cpuLimitMillis * periodMicros) / 1000)),
				}),
		...(memoryLimitBytes === undefined ? {} : { memoryLimitInBytes: memoryLimitBytes }),
	};
}

/** What `criSandboxConfig` was made from; undefined if it was not. */
export function sandboxRecord(annotations: Readonly<Record<string, string>>): SandboxConfig | undefined {
	const text = annotations[recordAnnotation];
	// Only criSandboxConfig writes it: those of pods are overwritten.
	return text === undefined ? undefined : (JSON.parse(text) as SandboxConfig);
}

/** What `criContainerConfig` was made from, without the environment; undefined if it was not. */
export function containerRecord(annotations: Readonly<Record<string, string>>): ContainerConfig | undefined {
	const text = annotations[recordAnnotation];
	return text === undefined ? undefined : (JSON.parse(text) as ContainerConfig);
}

function namespacesOf({ hostNetwork, hostPid, hostIpc, sharePid }: SandboxConfig) {
	const { node, pod, container } = namespaceMode;
	return {
		network: hostNetwork ? node : pod,
		pid: hostPid ? node : sharePid ? pod : container,
		ipc: hostIpc ? node : pod,
	};
}

function criMount(mount: Mount) {
	const { hostPath, containerPath, readOnly, propagation } = mount;
	return { hostPath, containerPath, readonly: readOnly, propagation: mountPropagation[propagation] };
}

function criSecurity({ security, targetId }: ContainerConfig, sandbox: SandboxConfig, options: ConfigOptions) {
	const { runAsUser, runAsGroup, capabilities, privileged, seccompProfile, appArmorProfile } = security;
	const namespaces = namespacesOf(sandbox);
	const joins = targetId !== undefined && namespaces.pid === namespaceMode.container;
	return {
		namespaceOptions: joins ? { ...namespaces, pid: namespaceMode.target, targetId } : namespaces,
		capabilities: { addCapabilities: capabilities.add, dropCapabilities: capabilities.drop },
		privileged,
		...(runAsUser === undefined ? {} : { runAsUser: { value: runAsUser } }),
		...(runAsGroup === undefined ? {} : { runAsGroup: { value: runAsGroup } }),
		readonlyRootfs: security.readOnlyRootFilesystem,
		supplementalGroups: security.supplementalGroups,
		supplementalGroupsPolicy: security.supplementalGroupsPolicy === "Strict" ? 1 : 0,
		noNewPrivs: security.noNewPrivileges,
		...(security.unmaskedProc || privileged ? {} : { maskedPaths, readonlyPaths }),
		seccomp: profile(seccompProfile ?? "Unconfined", (name) => `${options.seccompProfiles}/${name}`),
		...(appArmorProfile === undefined ? {} : { apparmor: profile(appArmorProfile, (name) => name) }),
	};
}

function profile(wanted: string, path: (name: string) => string) {
	const [type = "", ...rest] = wanted.split("/");
	if (type === "Localhost") return { profileType: profileType.Localhost, localhostRef: path(rest.join("/")) };
	return { profileType: type === "RuntimeDefault" ? profileType.RuntimeDefault : profileType.Unconfined };
}

/** What upstream's kubelet hides of /proc and /sys by default. */
const maskedPaths = [
	"/proc/asound",
	"/proc/acpi",
	"/proc/interrupts",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/proc/sched_debug",
	"/proc/scsi",
	"/sys/firmware",
	"/sys/devices/virtual/powercap",
];
const readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

export function sandboxOf(
	id: string,
	config: SandboxConfig,
	{ isReady, createdAtMs, pid }: { isReady: boolean; createdAtMs: number; pid: number | undefined },
): Sandbox {
	return {
		id,
		config,
		state: isReady ? "ready" : "notReady",
		createdAtMs,
		...(config.hostNetwork || pid === undefined ? {} : { networkNamespace: `/proc/${pid}/ns/net` }),
	};
}
