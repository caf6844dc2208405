/**
 * Restarts all containers of a pod in place when one of them exits and its restart rule says so (API page "Pod
 * Lifecycle", KEP-5532): running containers are killed without hooks and grace period; then the containers are removed,
 * those that triggered the restart last, so that a restarted agent can continue. Sandbox, address and volumes remain.
 * Pure.
 */
import type { ContainerStatus, PodStatus } from "../../kinds/generated/types.ts";
import type { PodAction, PodPlan } from "./pod-action.ts";
import { asksRestartOfAll, containerRuntimeState, type PodState, podContainers } from "./pod-state.ts";

export const restartingAll = {
	condition: "AllContainersRestarting",
	reason: "RestartingAllContainers",
	message: "The container is removed because RestartAllContainers in place",
};

/** Limits the rate of repeated restarts; a kubelet syncs such a pod once per second. */
const pauseMs = 1000;

/** Next steps until only terminated ephemeral containers are left. */
export function planRestartOfAll(state: PodState, nowMs: number): PodPlan {
	const { containers, runtimeState, pod } = state;
	const stops = containers.flatMap(({ id, config: { name }, state: runState }): PodAction[] => {
		if (runState !== "running" || containerRuntimeState(state, name).stopping?.containerId === id) return [];
		const message = `Container ${name} will be restarted with all containers of the pod`;
		return [{ do: "stopContainer", name, id, graceSeconds: 0, message }];
	});
	if (stops.length > 0) return { actions: stops };
	const busy = [...runtimeState.busy].some((key) => key.startsWith("container:"));
	if (busy || containers.some(({ state: runState }) => runState === "running")) return { actions: [] };
	const own = podContainers(pod).filter(({ role }) => role !== "ephemeral");
	const reasons = new Set(own.filter((container) => asksRestartOfAll(state, container)).map(({ spec }) => spec.name));
	const endedMs = containers
		.filter(({ config }) => reasons.has(config.name))
		.map(({ finishedAtMs = 0 }) => finishedAtMs);
	const dueMs = Math.max(...endedMs) + pauseMs;
	if (dueMs > nowMs) return { actions: [], wakeAtMs: dueMs };
	const names = new Set(own.map(({ spec }) => spec.name));
	const removable = containers.filter(({ config }) => names.has(config.name));
	const first = removable.filter(({ config }) => !reasons.has(config.name));
	const turn = first.length > 0 ? first : removable;
	return { actions: turn.map(({ id, config: { name } }) => ({ do: "removeContainer", name, id })) };
}

/**
 * Whether a container that the runtime does not have was removed for a restart of all containers. Statuses are the
 * previous ones.
 */
export function wasRemovedToRestart(old: ContainerStatus | undefined, pod: PodStatus | undefined): boolean {
	if (old?.containerID === undefined) return false;
	const condition = pod?.conditions?.find(({ type }) => type === restartingAll.condition);
	return condition?.status === "True" || saysRemoved(old);
}

/** Whether the status already reports the removal: then it includes the restart in its count. */
export function saysRemoved(status: ContainerStatus): boolean {
	return status.state?.waiting !== undefined && status.lastState?.terminated?.reason === restartingAll.reason;
}
