/**
 * The next actions for one pod. Pure: the pod's worker (pod-worker.ts) carries them out, each in the background, and
 * plans again when one has ended, when the runtime or a probe reports a change, and at `wakeAtMs`.
 *
 * The rules are those of the API page "Pod Lifecycle" and KEP-753 (sidecar containers).
 */

import { parseQuantity } from "../../core/quantity.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import { goDuration } from "../../core/time/duration.ts";
import type { ResourceRequirements } from "../../kinds/generated/types.ts";
import type { Container } from "../../runtime/runtime.ts";
import type { PodAction, PodPlan } from "./pod-action.ts";
import { planEnd } from "./pod-end.ts";
import {
	type Backoff,
	containerRuntimeState,
	currentInstance,
	hasStarted,
	instances,
	isRestartingAll,
	type PodContainer,
	type PodState,
	podContainers,
	podGraceSeconds,
	readySandbox,
	restarts,
	workIsOver,
} from "./pod-state.ts";
import { givenPodResources, givenResources, isPodResized, isResized, resourcesFromKey } from "./resize.ts";
import { planRestartOfAll, saysRemoved } from "./restart-all.ts";
import { resourcesKey } from "./runtime-resources.ts";

/**
 * The first and the longest delay before a restart or another image pull. A delay resets after twice the longest one.
 */
export const backoffLimits = { firstMs: 10_000, longestMs: 300_000 };

const deadlineMessage = "Pod was active on the node longer than the specified deadline";

/** The next actions in the order in which they may begin. Never throws. */
export function planPod(state: PodState, nowMs: number): PodPlan {
	const { pod, runtimeState } = state;
	const deadlineMs = activeDeadlineMs(state);
	const overdue =
		deadlineMs !== undefined && nowMs >= deadlineMs && runtimeState.verdict === undefined && !workIsOver(state);
	const verdict = overdue ? { reason: "DeadlineExceeded", message: deadlineMessage } : undefined;
	const ending =
		state.gone || pod.metadata.deletionTimestamp !== undefined || verdict !== undefined || workIsOver(state);
	if (!ending) {
		const plan = planRunning(state, nowMs);
		return deadlineMs === undefined ? plan : wake(plan, deadlineMs);
	}
	if (runtimeState.endingSinceMs === undefined) return { actions: [{ do: "end", verdict }] };
	return planEnd(state, nowMs);
}

/**
 * When the next attempt may begin after the last one, at `lastMs`, failed or ended; undefined: immediately, because it
 * is the first.
 */
function nextAttemptMs(backoff: Backoff | undefined, lastMs: number): number | undefined {
	if (backoff === undefined || lastMs - backoff.sinceMs > 2 * backoffLimits.longestMs) return undefined;
	return lastMs + backoff.delayMs;
}

/** The delay after an attempt at `nowMs`. */
export function grow(backoff: Backoff | undefined, lastMs: number, nowMs: number): Backoff {
	const fresh = nextAttemptMs(backoff, lastMs) === undefined || backoff === undefined;
	const delayMs = fresh ? backoffLimits.firstMs : Math.min(backoff.delayMs * 2, backoffLimits.longestMs);
	return { delayMs, sinceMs: nowMs };
}

function planRunning(state: PodState, nowMs: number): PodPlan {
	const { runtimeState } = state;
	if (runtimeState.busy.has("volumes") || runtimeState.busy.has("sandbox")) return { actions: [] };
	if (runtimeState.volumes.state !== "ready") {
		const retryAtMs = runtimeState.volumes.state === "failed" ? runtimeState.volumes.retryAtMs : nowMs;
		return retryAtMs > nowMs ? { actions: [], wakeAtMs: retryAtMs } : { actions: [{ do: "mountVolumes" }] };
	}
	const sandbox = readySandbox(state);
	if (sandbox === undefined || (runtimeState.addresses.length === 0 && !sandbox.config.hostNetwork)) {
		return planSandbox(state, nowMs);
	}
	return isRestartingAll(state) ? planRestartOfAll(state, nowMs) : planContainers(state, nowMs);
}

function planSandbox(state: PodState, nowMs: number): PodPlan {
	const { runtimeState } = state;
	// A container that is being stopped belongs to the old sandbox. The new one is created when it is gone.
	if ([...runtimeState.busy].some((key) => key.startsWith("container:"))) return { actions: [] };
	if (runtimeState.sandboxFailure !== undefined && runtimeState.sandboxFailure.retryAtMs > nowMs) {
		return { actions: [], wakeAtMs: runtimeState.sandboxFailure.retryAtMs };
	}
	const newest = state.sandboxes.at(-1);
	if (newest?.state === "ready") return { actions: [{ do: "createSandbox", attempt: newest.config.attempt }] };
	const attempt = newest === undefined ? 0 : newest.config.attempt + 1;
	return { actions: [{ do: "createSandbox", attempt, ...(newest === undefined ? {} : { replaces: newest.id }) }] };
}

function planContainers(state: PodState, nowMs: number): PodPlan {
	const plan: PodPlan = { actions: [] };
	const containers = podContainers(state.pod);
	// Once a regular container of this sandbox exists, initialization is complete, regardless of init containers.
	const initialized = containers.some(
		({ role, spec }) => role === "regular" && currentInstance(state, spec.name) !== undefined,
	);
	let starting = false;
	for (const container of containers) {
		const { role, spec } = container;
		plan.actions.push(...outdated(state, spec.name));
		if (role === "init" && initialized) continue;
		const busy = state.runtimeState.busy.has(`container:${spec.name}`);
		const current = currentInstance(state, spec.name);
		if (!busy) {
			const step = planContainer(state, container, current, nowMs);
			// Containers start one at a time and in order, as upstream: the next one waits for the postStart hook.
			const isStart = step.actions.some((action) => action.do === "startContainer");
			if (!(isStart && starting)) plan.actions.push(...step.actions);
			if (step.wakeAtMs !== undefined) wake(plan, step.wakeAtMs);
			starting ||= isStart;
		} else starting ||= current?.state !== "running" || containerRuntimeState(state, spec.name).stopping === undefined;
		if (!initialized && !lets(state, container, current)) break;
	}
	if (isPodResized(state)) resizePod(state, plan);
	return plan;
}

/** The pod's limits are raised before those of its containers, and lowered after them. */
function resizePod(state: PodState, plan: PodPlan): void {
	const { resize, busy } = state.runtimeState;
	const sandbox = readySandbox(state);
	if (resize === undefined) plan.actions.push({ do: "judgeResize" });
	if (resize?.type !== "Granted" || sandbox === undefined) return;
	const cpu = (resources: ResourceRequirements | undefined) => parseQuantity(resources?.limits?.["cpu"] ?? "0");
	const isLower = cpu(state.pod.spec.resources) < cpu(resourcesFromKey(givenPodResources(state) ?? ""));
	const waits = isLower && plan.actions.some((action) => action.do === "updateResources");
	if (!isLower) plan.actions = plan.actions.filter((action) => action.do !== "updateResources");
	const anyBusy = busy.has("pod") || (isLower && [...busy].some((key) => key.startsWith("container:")));
	if (!waits && !anyBusy) plan.actions.push({ do: "updatePodResources", id: sandbox.id });
}

/** Whether the following containers may start while the pod initializes. */
function lets(state: PodState, { role, spec }: PodContainer, current: Container | undefined): boolean {
	if (role === "init") return current?.state === "exited" && current.exitCode === 0;
	if (role === "sidecar") return hasStarted(state, current, spec.startupProbe);
	return true;
}

function planContainer(
	state: PodState,
	container: PodContainer,
	current: Container | undefined,
	nowMs: number,
): PodPlan {
	const { role, spec } = container;
	const newest = instances(state, spec.name)[0];
	const isWanted = state.runtimeState.resize === undefined && role !== "ephemeral" && newest !== undefined;
	if (isWanted && isResized(state, spec, newest)) return { actions: [{ do: "judgeResize" }] };
	if (current?.state === "running") return planRunningContainer(state, container, current);
	// The agent was killed between creating and starting it.
	if (current?.state === "created") return { actions: [{ do: "removeContainer", name: spec.name, id: current.id }] };
	if (newest !== undefined) {
		if (role === "ephemeral") return { actions: [] };
		const succeededInit = role === "init" && current !== undefined && current.exitCode === 0;
		const rerunsInit = role === "init" && current === undefined;
		if (succeededInit || !(rerunsInit || restarts(state, container, newest))) {
			return { actions: [] };
		}
	}
	return planStart(state, container, newest, nowMs);
}

function planRunningContainer(state: PodState, { role, spec }: PodContainer, current: Container): PodPlan {
	const runtimeState = containerRuntimeState(state, spec.name);
	const stop = (message: string, graceSeconds = podGraceSeconds(state)): PodAction => ({
		do: "stopContainer",
		name: spec.name,
		id: current.id,
		graceSeconds,
		message,
	});
	const replace = (message: string): PodPlan => ({ actions: [Object.assign(stop(message), { restarts: true })] });
	if (role === "ephemeral") return { actions: [] };
	if (current.config.image !== spec.image) {
		return replace(`Container ${spec.name} definition changed, will be restarted`);
	}
	const failed = runtimeState.probes?.containerId === current.id ? runtimeState.probes.failed : undefined;
	if (failed !== undefined) {
		const message = `Container ${spec.name} failed ${failed.probe.toLowerCase()} probe, will be restarted`;
		return { actions: [stop(message, failed.graceSeconds)] };
	}
	if (isResized(state, spec, current) && state.runtimeState.resize?.type === "Granted") {
		const wanted = resourcesKey(spec.resources);
		const has = givenResources(state, spec.name, current) ?? "";
		if (needsRestart(spec.resizePolicy, has, wanted)) return replace(`Container ${spec.name} resize requires restart`);
		return { actions: [{ do: "updateResources", name: spec.name, id: current.id }] };
	}
	return { actions: [] };
}

function needsRestart(
	policies: readonly { resourceName: string; restartPolicy: string }[] | undefined,
	has: string,
	wanted: string,
): boolean {
	const before = new Map(has.split(",").map((part) => part.split("=") as [string, string]));
	const after = new Map(wanted.split(",").map((part) => part.split("=") as [string, string]));
	return [...new Set([...before.keys(), ...after.keys()])].some((key) => {
		const resource = key.split(".")[1];
		const policy = policies?.find(({ resourceName }) => resourceName === resource)?.restartPolicy;
		return policy === "RestartContainer" && before.get(key) !== after.get(key);
	});
}

function planStart(state: PodState, container: PodContainer, newest: Container | undefined, nowMs: number): PodPlan {
	const { role, spec } = container;
	const runtimeState = containerRuntimeState(state, spec.name);
	const retryAtMs = runtimeState.startFailure?.retryAtMs;
	if (retryAtMs !== undefined && retryAtMs > nowMs) return { actions: [], wakeAtMs: retryAtMs };
	const attempt = newest === undefined ? lostAttempts(state, spec.name) : newest.config.attempt + 1;
	const start = { do: "startContainer", name: spec.name, role, attempt } as const;
	// A new sandbox restarts everything without delay.
	if (newest === undefined || currentInstance(state, spec.name) === undefined) return { actions: [start] };
	const endedMs = newest.finishedAtMs ?? nowMs;
	const dueMs = nextAttemptMs(runtimeState.restartBackoff, endedMs);
	if (dueMs === undefined || dueMs <= nowMs) {
		return { actions: [{ ...start, backoff: grow(runtimeState.restartBackoff, endedMs, nowMs) }] };
	}
	const seconds = (runtimeState.restartBackoff?.delayMs ?? 0) / 1000;
	const { name: podName, namespace = "", uid } = state.pod.metadata;
	const message = `back-off ${goDuration(seconds * 1000)} restarting failed container=${spec.name} pod=${podName}_${namespace}(${uid})`;
	const waiting = { reason: "CrashLoopBackOff", message };
	const actions: PodAction[] =
		runtimeState.heldBack?.message === message ? [] : [{ do: "holdBack", name: spec.name, waiting }];
	return { actions, wakeAtMs: dueMs };
}

/** How often the container was started before, from the status if the runtime has lost it. */
function lostAttempts({ previous, pod }: PodState, name: string): number {
	const { containerStatuses = [], initContainerStatuses = [] } = previous ?? pod.status ?? {};
	const status = [...containerStatuses, ...initContainerStatuses].find((each) => each.name === name);
	if (status?.containerID === undefined) return 0;
	return saysRemoved(status) ? status.restartCount : status.restartCount + 1;
}

/** Exited instances whose logs can no longer be requested: all but the newest two of a container. */
function outdated(state: PodState, name: string): PodAction[] {
	if (state.containers.length <= 2 || state.runtimeState.busy.has(`container:${name}`)) return [];
	return instances(state, name)
		.slice(2)
		.filter(({ state }) => state === "exited")
		.map(({ id }) => ({ do: "removeContainer", name, id }));
}

function activeDeadlineMs({ pod, runtimeState }: PodState): number | undefined {
	const seconds = pod.spec.activeDeadlineSeconds;
	if (seconds === undefined) return undefined;
	const started = pod.status?.startTime;
	return (started === undefined ? runtimeState.observedAtMs : parseTimestamp(started)) + seconds * 1000;
}

function wake(plan: PodPlan, atMs: number): PodPlan {
	plan.wakeAtMs = Math.min(plan.wakeAtMs ?? atMs, atMs);
	return plan;
}
