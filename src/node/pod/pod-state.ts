/** The agent's knowledge of one pod: the input of `planPod` and `podStatus`. Pure. */

import type { Container as ContainerSpec, Pod, PodStatus, Probe } from "../../kinds/generated/types.ts";
import { isFinalPhase } from "../../kinds/pod/pod-lifecycle.ts";
import { isSidecar } from "../../kinds/pod/spec/sidecars.ts";
import type { Container, Sandbox } from "../../runtime/runtime.ts";

/** The role of a container in its pod. A sidecar is an init container with `restartPolicy: Always`. */
export type ContainerRole = "init" | "sidecar" | "regular" | "ephemeral";

/** A container of the pod's spec and its role. */
export interface PodContainer {
	role: ContainerRole;
	spec: ContainerSpec;
	/** For an ephemeral container: the container whose process namespace it joins. */
	targetContainerName?: string;
}

/** An increasing delay between attempts. */
export interface Backoff {
	delayMs: number;
	/** When the delay began, in epoch milliseconds. */
	sinceMs: number;
}

/** Why a container is not running yet, for its status. */
export interface WaitingReason {
	reason: string;
	message: string;
}

/** The results of a running container's probes. */
export interface ProbeVerdict {
	containerId: string;
	/** The startup probe has succeeded, or there is none. */
	started: boolean;
	/** The readiness probe succeeds, or there is none. */
	ready: boolean;
	/** The liveness or startup probe has reached its failure threshold: the container must be stopped. */
	failed?: { probe: "Liveness" | "Startup"; graceSeconds?: number };
}

/** The agent's state of a container in addition to the runtime's. It is lost when the agent restarts, without harm. */
export interface ContainerRuntimeState {
	/** Delay between restarts; absent before the first restart. */
	restartBackoff?: Backoff;
	/** Delay between attempts to pull the image. */
	imageBackoff?: Backoff;
	/** The last attempt to start failed; the next one is at `retryAtMs`. */
	startFailure?: WaitingReason & { retryAtMs: number /** The one that could not be pulled. */; image?: string };
	/** A restart is delayed; shown as CrashLoopBackOff. */
	heldBack?: WaitingReason;
	probes?: ProbeVerdict;
	/**
	 * The grace period of a stop in progress, and whether the container then starts again regardless of the restart
	 * policy.
	 */
	stopping?: { containerId: string; graceSeconds: number; restarts?: true };
	/** Resources of the running container, if they differ from those it was created with. */
	resizedTo?: { containerId: string; resources: string };
}

/** Why the agent terminates a pod on its own, for good. */
export interface Verdict {
	reason: string;
	message: string;
	/** Grace period for the containers, instead of the pod's own; such a pod is disrupted (KEP-3329). */
	graceSeconds?: number;
}

export interface PodRuntimeState {
	/** When the agent first saw the pod, epoch milliseconds. */
	observedAtMs: number;
	/** Operations in progress: `volumes`, `sandbox`, `container:NAME`, `release`, `delete`, `remove`. */
	busy: ReadonlySet<string>;
	volumes: { state: "none" | "ready" } | { state: "failed"; retryAtMs: number };
	/** The last attempt to create a sandbox failed. */
	sandboxFailure?: { retryAtMs: number; delayMs: number };
	/** Pod addresses, once attached. */
	addresses: readonly string[];
	/** Rejected at admission, evicted, or past its deadline. */
	verdict?: Verdict;
	/** When the agent began to stop the pod. */
	endingSinceMs?: number;
	/** Sandbox, network and volumes have been released. */
	released: boolean;
	/** The final status has reached the API server. */
	statusWritten: boolean;
	/** The agent asked the API to delete the pod; if the pod still exists at `retryAtMs`, it asks again. */
	deletion?: { retryAtMs: number; delayMs: number };
	containers: ReadonlyMap<string, ContainerRuntimeState>;
	/** Termination messages of exited containers, by container ID. */
	terminationMessages: ReadonlyMap<string, string>;
	/** CPU and memory last applied to the running pod as a whole, in the format of `resourcesKey`. */
	resizedPod?: { sandboxId: string; resources: string };
	/**
	 * The result of the resource change that the API requests: it is granted, deferred, infeasible, or the runtime
	 * rejected it.
	 */
	resize?:
		| { type: "Granted" }
		| { type: "Deferred"; message: string; sinceMs: number }
		| { type: "Infeasible" | "Error"; message: string };
}

export interface PodState {
	/** The API's version. For a pod that no longer exists, the last version. */
	pod: Pod;
	/** No pod with this UID exists in the API. */
	gone: boolean;
	/** Of this pod, oldest first. */
	sandboxes: readonly Sandbox[];
	/** Of this pod, in all sandboxes, oldest first. */
	containers: readonly Container[];
	runtimeState: PodRuntimeState;
	node: {
		name: string;
		/** Addresses of the node, IPv4 first. */
		addresses: readonly string[];
		/** The prefix of container IDs in the API: `containerd` in `containerd://ID`. */
		runtimeName: string;
	};
	/** The status computed last, which the API may not have yet. */
	previous?: PodStatus;
}

const noContainerRuntimeState: ContainerRuntimeState = {};

export function containerRuntimeState(state: PodState, name: string): ContainerRuntimeState {
	return state.runtimeState.containers.get(name) ?? noContainerRuntimeState;
}

/** Init containers and sidecars in their order, then regular, then ephemeral containers. */
export function podContainers({ spec }: Pod): readonly PodContainer[] {
	// Cached: one plan asks for them a dozen times.
	if (spec !== lastSpec) {
		lastContainers = containersOf(spec);
		lastSpec = spec;
	}
	return lastContainers;
}

let lastSpec: Pod["spec"] | undefined;
let lastContainers: readonly PodContainer[] = [];

function containersOf({ initContainers = [], containers, ephemeralContainers = [] }: Pod["spec"]): PodContainer[] {
	return [
		...initContainers.map((spec): PodContainer => ({ role: isSidecar(spec) ? "sidecar" : "init", spec })),
		...containers.map((spec): PodContainer => ({ role: "regular", spec })),
		...ephemeralContainers.map(
			(spec): PodContainer => ({ role: "ephemeral", spec, targetContainerName: spec.targetContainerName }),
		),
	];
}

/** The current sandbox: the newest one, if it is ready. */
export function readySandbox(state: PodState): Sandbox | undefined {
	const newest = state.sandboxes.at(-1);
	return newest?.state === "ready" ? newest : undefined;
}

/** All instances of a container, newest first. */
export function instances(state: PodState, name: string): Container[] {
	return state.containers.filter((container) => container.config.name === name).sort(newestFirst);
}

function newestFirst(a: Container, b: Container): number {
	return b.config.attempt - a.config.attempt || b.createdAtMs - a.createdAtMs;
}

/** The first of `instances`. */
function newestInstance(state: PodState, name: string): Container | undefined {
	let newest: Container | undefined;
	for (const container of state.containers) {
		if (container.config.name !== name) continue;
		if (newest === undefined || newestFirst(container, newest) < 0) newest = container;
	}
	return newest;
}

/** The newest instance of a container in the current sandbox. */
export function currentInstance(state: PodState, name: string): Container | undefined {
	const sandbox = state.sandboxes.at(-1);
	const newest = newestInstance(state, name);
	return newest !== undefined && newest.sandboxId === sandbox?.id ? newest : undefined;
}

/**
 * The pod's grace period in seconds: that of the deletion, otherwise that of its spec. At least 1 while it is being
 * stopped.
 */
export function podGraceSeconds(state: PodState): number {
	const { metadata, spec } = state.pod;
	const seconds =
		metadata.deletionTimestamp !== undefined && metadata.deletionGracePeriodSeconds !== undefined
			? metadata.deletionGracePeriodSeconds
			: (spec.terminationGracePeriodSeconds ?? 30);
	return Math.max(Math.min(seconds, state.runtimeState.verdict?.graceSeconds ?? seconds), 1);
}

/**
 * Whether a container that exited with this code restarts (API page "Pod Lifecycle", container restart rules KEP-5307).
 */
function restartsAfterExit(pod: Pod, { role, spec }: PodContainer, exitCode: number): boolean {
	if (role === "ephemeral") return false;
	if (role === "sidecar") return true;
	// Both actions restart this container.
	if (matchingRule(spec, exitCode) !== undefined) return true;
	const policy = spec.restartPolicy ?? pod.spec.restartPolicy ?? "Always";
	if (role === "init") return exitCode !== 0 && policy !== "Never";
	return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

/** Like `restartsAfterExit` for this instance. One that was stopped because its spec had changed always restarts. */
export function restarts(state: PodState, container: PodContainer, instance: Container): boolean {
	const { stopping } = containerRuntimeState(state, container.spec.name);
	if (stopping?.restarts === true && stopping.containerId === instance.id) return true;
	return restartsAfterExit(state.pod, container, instance.exitCode ?? 0);
}

/** The first restart rule of the container that matches this exit code (KEP-5307). */
function matchingRule(spec: ContainerSpec, exitCode: number) {
	return spec.restartPolicyRules?.find(({ exitCodes }) => {
		const listed = exitCodes?.values?.includes(exitCode) ?? false;
		return exitCodes?.operator === "NotIn" ? !listed : listed;
	});
}

/** Whether a container of the pod has a rule that restarts all containers. */
export function mayRestartAll(pod: Pod): boolean {
	return podContainers(pod).some(({ spec }) =>
		spec.restartPolicyRules?.some(({ action }) => action === "RestartAllContainers"),
	);
}

/** Whether a container that still exists has triggered such a rule by exiting (KEP-5532). */
export function isRestartingAll(state: PodState): boolean {
	return mayRestartAll(state.pod) && podContainers(state.pod).some((container) => asksRestartOfAll(state, container));
}

export function asksRestartOfAll(state: PodState, { spec }: PodContainer): boolean {
	const instance = currentInstance(state, spec.name);
	if (instance?.state !== "exited") return false;
	return matchingRule(spec, instance.exitCode ?? 0)?.action === "RestartAllContainers";
}

/**
 * Whether the container has started as far as other containers wait for it: it is running, and its startup probe has
 * succeeded.
 */
export function hasStarted(
	state: PodState,
	container: Container | undefined,
	startupProbe: Probe | undefined,
): boolean {
	if (container?.state !== "running") return false;
	const verdict = containerRuntimeState(state, container.config.name).probes;
	if (verdict?.containerId === container.id) return verdict.started;
	return startupProbe === undefined;
}

/**
 * Whether the pod's work is complete: its regular containers have terminated for good, or an init container has failed
 * for good.
 */
export function workIsOver(state: PodState): boolean {
	const { pod, runtimeState } = state;
	if (runtimeState.verdict !== undefined) return true;
	const phase = pod.status?.phase;
	if (isFinalPhase(phase)) return true;
	if (isRestartingAll(state)) return false;
	const ended = (container: PodContainer) => {
		const instance = newestInstance(state, container.spec.name);
		return (
			instance?.state === "exited" &&
			!runtimeState.busy.has(`container:${container.spec.name}`) &&
			!restarts(state, container, instance)
		);
	};
	const containers = podContainers(pod);
	const initFailed = containers.some((container) => {
		if (container.role !== "init" || !ended(container)) return false;
		return (
			currentInstance(state, container.spec.name)?.exitCode !== 0 &&
			currentInstance(state, container.spec.name) !== undefined
		);
	});
	return initFailed || containers.every((container) => container.role !== "regular" || ended(container));
}

/** The path of a container in its pod, for Events: `spec.containers{web}`. */
export function fieldPath(pod: Pod, name: string): string {
	const has = (list: readonly { name: string }[] | undefined) => list?.some((spec) => spec.name === name) ?? false;
	if (has(pod.spec.initContainers)) return `spec.initContainers{${name}}`;
	if (has(pod.spec.ephemeralContainers)) return `spec.ephemeralContainers{${name}}`;
	return `spec.containers{${name}}`;
}
