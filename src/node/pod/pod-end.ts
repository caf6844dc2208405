/** How a pod is stopped: containers in order, then its sandbox and volumes, then the pod itself. Pure. */
import type { PodAction, PodPlan } from "./pod-action.ts";
import {
	containerRuntimeState,
	instances,
	type PodContainer,
	type PodState,
	podContainers,
	podGraceSeconds,
} from "./pod-state.ts";

/** Sidecars receive SIGTERM before they are killed, even after the pod's grace period (KEP-753). */
const leastSidecarGraceSeconds = 2;

/** Next steps for a pod that is being stopped since `runtimeState.endingSinceMs`. */
export function planEnd(state: PodState, nowMs: number): PodPlan {
	const { runtimeState, pod } = state;
	const stops = planStops(state, nowMs);
	if (stops !== undefined) return { actions: stops };
	if (!runtimeState.released) return { actions: runtimeState.busy.size === 0 ? [{ do: "release" }] : [] };
	if (state.gone) return { actions: runtimeState.busy.has("remove") ? [] : [{ do: "remove" }] };
	const deletable = pod.metadata.deletionTimestamp !== undefined && runtimeState.statusWritten;
	if (!deletable || runtimeState.busy.has("delete")) return { actions: [] };
	if (runtimeState.deletion === undefined || runtimeState.deletion.retryAtMs <= nowMs)
		return { actions: [{ do: "deletePod" }] };
	return { actions: [], wakeAtMs: runtimeState.deletion.retryAtMs };
}

/** Stops to begin now; undefined if no container is running or has an operation in progress. */
function planStops(state: PodState, nowMs: number): PodAction[] | undefined {
	const { runtimeState } = state;
	const graceSeconds = podGraceSeconds(state);
	const elapsedSeconds = Math.floor((nowMs - (runtimeState.endingSinceMs ?? nowMs)) / 1000);
	const live = podContainers(state.pod).filter((container) => isLive(state, container));
	const strangers = state.containers.filter(
		({ config, state: runState }) =>
			runState === "running" && !podContainers(state.pod).some(({ spec }) => spec.name === config.name),
	);
	if (live.length === 0 && strangers.length === 0) return undefined;
	const main = live.filter(({ role }) => role !== "sidecar");
	// Sidecars are stopped last and one by one, in reverse order.
	const lastSidecar = live.findLast(({ role }) => role === "sidecar");
	const turn = main.length > 0 ? main : lastSidecar === undefined ? [] : [lastSidecar];
	const remaining = Math.max(graceSeconds - elapsedSeconds, leastSidecarGraceSeconds);
	const given = main.length > 0 ? graceSeconds : Math.min(graceSeconds, remaining);
	const actions = turn.flatMap((container) => stop(state, container.spec.name, given));
	for (const { config, id } of strangers) {
		if (!runtimeState.busy.has(`container:${config.name}`)) actions.push(stopAction(config.name, id, graceSeconds));
	}
	return actions;
}

function isLive(state: PodState, { spec }: PodContainer): boolean {
	return state.runtimeState.busy.has(`container:${spec.name}`) || running(state, spec.name) !== undefined;
}

function running(state: PodState, name: string) {
	return instances(state, name).find((instance) => instance.state === "running");
}

/** Begins a stop, or shortens the grace period of one in progress. */
function stop(state: PodState, name: string, graceSeconds: number): PodAction[] {
	const instance = running(state, name);
	if (instance === undefined) return [];
	const { stopping } = containerRuntimeState(state, name);
	if (stopping?.containerId === instance.id) {
		return graceSeconds < stopping.graceSeconds ? [stopAction(name, instance.id, graceSeconds)] : [];
	}
	// Does not wait for a start in progress, such as a postStart hook.
	return [stopAction(name, instance.id, graceSeconds)];
}

function stopAction(name: string, id: string, graceSeconds: number): PodAction {
	return { do: "stopContainer", name, id, graceSeconds, message: `Stopping container ${name}` };
}
