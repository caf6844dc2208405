/** What the agent knows of one pod: the input of `planPod` and `podStatus`. Nothing here does anything. */

import type { Container as ContainerSpec, Pod, PodStatus, Probe } from "../../kinds/generated/types.ts";
import { isFinalPhase } from "../../kinds/pod/pod-lifecycle.ts";
import { isSidecar } from "../../kinds/pod/spec/sidecars.ts";
import type { Container, Sandbox } from "../../runtime/runtime.ts";

/** How a container takes part in the life of its pod. A sidecar is an init container with `restartPolicy: Always`. */
export type ContainerRole = "init" | "sidecar" | "regular" | "ephemeral";

/** A container of the pod's spec and its role. */
export interface PodContainer {
	role: ContainerRole;
	spec: ContainerSpec;
	/** For an ephemeral container: the container whose process namespace it joins. */
	targetContainerName?: string;
}

/** A growing delay between attempts. */
export interface Backoff {
	delayMs: number;
	/** When the delay began to count, epoch milliseconds. */
	sinceMs: number;
}

/** Why a container is not running yet, as its status shows it. */
export interface WaitingReason {
	reason: string;
	message: string;
}

/** What the probes of a running container have found. */
export interface ProbeVerdict {
	containerId: string;
	/** The startup probe has succeeded, or there is none. */
	started: boolean;
	/** The readiness probe succeeds, or there is none. */
	ready: boolean;
	/** The liveness or startup probe has failed as often as it may: the container must go. */
	failed?: { probe: "Liveness" | "Startup"; graceSeconds?: number };
}

/**
 * What the agent remembers of a container besides what the runtime lists. Lost when the agent restarts, without harm.
 */
export interface ContainerRuntimeState {
	/** Delay between restarts; absent before the first restart. */
	restartBackoff?: Backoff;
	/** Delay between attempts to get the image. */
	imageBackoff?: Backoff;
	/** The last attempt to start failed; there is no other before `retryAtMs`. */
	startFailure?: WaitingReason & { retryAtMs: number };
	/** A restart is being held back; shown as CrashLoopBackOff. */
	heldBack?: WaitingReason;
	probes?: ProbeVerdict;
	/**
	 * The seconds that the container has been given to end, and whether it then starts again whatever the restart policy.
	 */
	stopping?: { containerId: string; graceSeconds: number; restarts?: true };
	/** Resources the running container has, when they differ from those it was made with. */
	resizedTo?: { containerId: string; resources: string };
}

/** Why the agent ends a pod on its own, for good. */
export interface Verdict {
	reason: string;
	message: string;
	/** For the containers to end, instead of what the pod says; such a pod is disrupted (KEP-3329). */
	graceSeconds?: number;
}

export interface PodRuntimeState {
	/** When the agent first saw the pod, epoch milliseconds. */
	observedAtMs: number;
	/** Effects under way: `volumes`, `sandbox`, `container:NAME`, `release`, `delete`, `remove`. */
	busy: ReadonlySet<string>;
	volumes: { state: "none" | "ready" } | { state: "failed"; retryAtMs: number };
	/** The last attempt to make a sandbox failed. */
	sandboxFailure?: { retryAtMs: number; delayMs: number };
	/** Pod addresses, once attached. */
	addresses: readonly string[];
	/** Refused at admission, evicted, or past its deadline. */
	verdict?: Verdict;
	/** When the agent began to end the pod. */
	endingSinceMs?: number;
	/** Sandbox, network and volumes have been given back. */
	released: boolean;
	/** The final status has reached the API server. */
	statusWritten: boolean;
	/** The API has been asked to delete the pod; if it is still there, it is asked again at `retryAtMs`. */
	deletion?: { retryAtMs: number; delayMs: number };
	containers: ReadonlyMap<string, ContainerRuntimeState>;
	/** Messages that exited containers left, by container id. */
	terminationMessages: ReadonlyMap<string, string>;
	/** What the pod as a whole was last given of CPU and memory while it runs, as `resourcesKey` writes it. */
	resizedPod?: { sandboxId: string; resources: string };
	/**
	 * What came of the change of resources that the API wants: there is room, not now, never, or the runtime refused it.
	 */
	resize?:
		| { type: "Granted" }
		| { type: "Deferred"; message: string; sinceMs: number }
		| { type: "Infeasible" | "Error"; message: string };
}

export interface PodState {
	/** As the API has it; for a pod that is gone, as it was last. */
	pod: Pod;
	/** The API has no pod of this UID any more. */
	gone: boolean;
	/** Of this pod, oldest first. */
	sandboxes: readonly Sandbox[];
	/** Of this pod, of all sandboxes, oldest first. */
	containers: readonly Container[];
	runtimeState: PodRuntimeState;
	node: {
		name: string;
		/** The node's own, IPv4 first. */
		addresses: readonly string[];
		/** What container ids begin with in the API: `containerd` in `containerd://ID`. */
		runtimeName: string;
	};
	/** The status computed last, which may not have come back from the API yet. */
	previous?: PodStatus;
}

const noContainerRuntimeState: ContainerRuntimeState = {};

export function containerRuntimeState(state: PodState, name: string): ContainerRuntimeState {
	return state.runtimeState.containers.get(name) ?? noContainerRuntimeState;
}

/** Init containers and sidecars in their order, then regular, then ephemeral containers. */
export function podContainers({ spec }: Pod): readonly PodContainer[] {
	// One look at a pod asks for them a dozen times.
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

/** The sandbox that counts: the newest one, if it is ready. */
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

/** The newest instance of a container that belongs to the sandbox that counts. */
export function currentInstance(state: PodState, name: string): Container | undefined {
	const sandbox = state.sandboxes.at(-1);
	const newest = newestInstance(state, name);
	return newest !== undefined && newest.sandboxId === sandbox?.id ? newest : undefined;
}

/**
 * Seconds a pod is given to end: what the deletion says, else what its spec says. At least 1 once it is being ended.
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
 * Whether a container that exited so is to be started again (API page "Pod Lifecycle", container restart rules
 * KEP-5307).
 */
function restartsAfterExit(pod: Pod, { role, spec }: PodContainer, exitCode: number): boolean {
	if (role === "ephemeral") return false;
	if (role === "sidecar") return true;
	// Whichever it says: this container is among those that are restarted.
	if (matchingRule(spec, exitCode) !== undefined) return true;
	const policy = spec.restartPolicy ?? pod.spec.restartPolicy ?? "Always";
	if (role === "init") return exitCode !== 0 && policy !== "Never";
	return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

/**
 * As `restartsAfterExit`, for this instance: one that was stopped because its spec had changed starts again in any
 * case.
 */
export function restarts(state: PodState, container: PodContainer, instance: Container): boolean {
	const { stopping } = containerRuntimeState(state, container.spec.name);
	if (stopping?.restarts === true && stopping.containerId === instance.id) return true;
	return restartsAfterExit(state.pod, container, instance.exitCode ?? 0);
}

/** The first rule of the container that is for this exit code (KEP-5307). */
function matchingRule(spec: ContainerSpec, exitCode: number) {
	return spec.restartPolicyRules?.find(({ exitCodes }) => {
		const listed = exitCodes?.values?.includes(exitCode) ?? false;
		return exitCodes?.operator === "NotIn" ? !listed : listed;
	});
}

/** Whether a container of the pod may ever ask for all of them to be restarted. */
export function mayRestartAll(pod: Pod): boolean {
	return podContainers(pod).some(({ spec }) =>
		spec.restartPolicyRules?.some(({ action }) => action === "RestartAllContainers"),
	);
}

/** Whether a container has asked for that by its end, and is still there to tell of it (KEP-5532). */
export function isRestartingAll(state: PodState): boolean {
	return mayRestartAll(state.pod) && podContainers(state.pod).some((container) => asksRestartOfAll(state, container));
}

export function asksRestartOfAll(state: PodState, { spec }: PodContainer): boolean {
	const instance = currentInstance(state, spec.name);
	if (instance?.state !== "exited") return false;
	return matchingRule(spec, instance.exitCode ?? 0)?.action === "RestartAllContainers";
}

/** Whether the container is up as far as others wait for it: running, and past its startup probe. */
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
 * Whether the pod's work is over: its regular containers have ended for good, or an init container has failed for good.
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
