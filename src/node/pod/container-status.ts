/** The status of one container, from the runtime's containers and the agent's runtime state. Pure. */
import { timestamp } from "../../core/time/clock.ts";
import type {
	Container as ContainerSpec,
	ContainerState,
	ContainerStateTerminated,
	ContainerStatus,
	ResourceRequirements,
	VolumeMountStatus,
} from "../../kinds/generated/types.ts";
import type { Container } from "../../runtime/runtime.ts";
import {
	containerRuntimeState,
	currentInstance,
	hasStarted,
	instances,
	type PodContainer,
	type PodState,
	readySandbox,
	restarts,
} from "./pod-state.ts";
import { allocated, givenResources, resourcesGiven } from "./resize.ts";
import { restartingAll, saysRemoved, wasRemovedToRestart } from "./restart-all.ts";

/**
 * @param over the pod's phase is final: no container is waiting any more
 * @param initialized whether init containers are complete; until then others wait with `PodInitializing`
 */
export function containerStatus(state: PodState, container: PodContainer, over: boolean): ContainerStatus {
	const { role, spec } = container;
	const [newest, earlier] = instances(state, spec.name);
	const old = previousStatus(state, container);
	const runtimeState = containerRuntimeState(state, spec.name);
	const { current, last } = states(state, container, newest, earlier, old, over);
	const running = current.running !== undefined;
	const verdict = runtimeState.probes?.containerId === newest?.id ? runtimeState.probes : undefined;
	// After a restart of the agent, containers with probes keep their state until a probe reports.
	const before =
		verdict === undefined && newest !== undefined && old?.containerID === containerId(state, newest.id)
			? old
			: undefined;
	const heldStarted = spec.startupProbe !== undefined && before?.started === true && running;
	const started = hasStarted(state, newest, spec.startupProbe) || heldStarted;
	const readyByProbe = verdict?.ready ?? (spec.readinessProbe === undefined ? started : before?.ready === true);
	const ready =
		role === "init"
			? current.terminated?.exitCode === 0
			: role === "ephemeral"
				? false
				: running && started && readyByProbe;
	const status: ContainerStatus = {
		name: spec.name,
		state: current,
		lastState: last ?? {},
		ready,
		restartCount: newest?.config.attempt ?? (role === "ephemeral" ? 0 : lostRestarts(state, old)),
		image: newest?.config.image ?? spec.image ?? "",
		imageID: newest?.imageId ?? "",
		// A container that is not running has not started; in the API, an absent `started` means the same.
		started: role === "ephemeral" ? running : started,
	};
	if (newest === undefined) {
		if (old?.containerID === undefined) return status;
		return Object.assign(status, { containerID: old.containerID, image: old.image, imageID: old.imageID });
	}
	status.containerID = containerId(state, newest.id);
	if (role !== "ephemeral" && running) {
		const requests = allocated(state, spec)?.requests;
		if (requests !== undefined) status.allocatedResources = requests;
		status.resources = actualResources(state, spec, newest);
	}
	const mounts = volumeMounts(spec);
	if (mounts.length > 0) status.volumeMounts = mounts;
	return status;
}

/** The number of restarts of a container that the runtime no longer has. */
function lostRestarts(state: PodState, old: ContainerStatus | undefined): number {
	if (old === undefined) return 0;
	const counts = wasRemovedToRestart(old, state.previous ?? state.pod.status) && !saysRemoved(old);
	return old.restartCount + (counts ? 1 : 0);
}

/** The ID in the API's format, prefixed with the runtime's name. */
function containerId(state: PodState, id: string): string {
	return `${state.node.runtimeName}://${id}`;
}

function previousStatus(state: PodState, { role, spec }: PodContainer): ContainerStatus | undefined {
	const old = state.previous ?? state.pod.status;
	const lists = {
		init: old?.initContainerStatuses,
		sidecar: old?.initContainerStatuses,
		regular: old?.containerStatuses,
		ephemeral: old?.ephemeralContainerStatuses,
	};
	return lists[role]?.find(({ name }) => name === spec.name);
}

interface States {
	current: ContainerState;
	last?: ContainerState;
}

function states(
	state: PodState,
	container: PodContainer,
	newest: Container | undefined,
	before: Container | undefined,
	old: ContainerStatus | undefined,
	over: boolean,
): States {
	const { spec, role } = container;
	const runtimeState = containerRuntimeState(state, spec.name);
	const last = before === undefined ? old?.lastState : { terminated: terminated(state, before) };
	if (newest === undefined) return withoutInstance(state, container, old, over);
	if (newest.state === "running") {
		return { current: { running: { startedAt: timestamp(newest.startedAtMs ?? newest.createdAtMs) } }, last };
	}
	if (newest.state === "created") return { current: { waiting: waiting(state) }, last };
	const ended = { terminated: terminated(state, newest) };
	const { stopping } = runtimeState;
	// A container of a pod without restarts that was reported as terminated must not be reported as anything else.
	if (
		stopping?.restarts === true &&
		stopping.containerId === newest.id &&
		!over &&
		state.pod.spec.restartPolicy !== "Always"
	)
		return { current: { waiting: waiting(state) }, last: ended };
	const replaced = currentInstance(state, spec.name) === undefined && readySandbox(state) !== undefined;
	const comesBack = restarts(state, container, newest) || (role === "init" && replaced);
	const why = runtimeState.startFailure ?? runtimeState.heldBack;
	const ending = over || state.runtimeState.endingSinceMs !== undefined;
	if (!comesBack || why === undefined || ending) return { current: ended, last };
	return { current: { waiting: { reason: why.reason, message: why.message } }, last: ended };
}

/** The status of a container that the runtime does not have: not started yet, or lost. */
function withoutInstance(
	state: PodState,
	{ spec, role }: PodContainer,
	old: ContainerStatus | undefined,
	over: boolean,
): States {
	const failure = containerRuntimeState(state, spec.name).startFailure;
	if (role !== "ephemeral" && wasRemovedToRestart(old, state.previous ?? state.pod.status)) {
		const { reason, message } = restartingAll;
		const why = failure ?? restartingAll;
		return {
			current: { waiting: { reason: why.reason, message: why.message } },
			last: { terminated: { exitCode: 137, reason, message } },
		};
	}
	if (old?.state?.terminated !== undefined) return { current: old.state, last: old.lastState };
	if (old?.state?.running !== undefined) {
		const lost: ContainerStateTerminated = {
			exitCode: 137,
			reason: "ContainerStatusUnknown",
			message: "The container could not be located when the pod was terminated",
		};
		if (over || state.runtimeState.endingSinceMs !== undefined)
			return { current: { terminated: lost }, last: old.lastState };
		lost.message = "The container could not be located when the pod was deleted.  The container used to be Running";
		return { current: { waiting: waiting(state) }, last: { terminated: lost } };
	}
	const current =
		failure === undefined
			? { waiting: waiting(state) }
			: { waiting: { reason: failure.reason, message: failure.message } };
	return { current, last: old?.lastState };
}

function waiting({ pod }: PodState): { reason: string } {
	return { reason: (pod.spec.initContainers?.length ?? 0) > 0 ? "PodInitializing" : "ContainerCreating" };
}

function terminated(state: PodState, container: Container): ContainerStateTerminated {
	const exitCode = container.exitCode ?? 0;
	const message = state.runtimeState.terminationMessages.get(container.id) || container.message;
	return {
		exitCode,
		reason: container.reason ?? (exitCode === 0 ? "Completed" : "Error"),
		...(message === undefined || message === "" ? {} : { message }),
		startedAt: timestamp(container.startedAtMs ?? container.createdAtMs),
		finishedAt: timestamp(container.finishedAtMs ?? container.createdAtMs),
		containerID: containerId(state, container.id),
	};
}

/** The CPU and memory of a running container as last applied (KEP-1287, in-place resize). */
function actualResources(state: PodState, spec: ContainerSpec, newest: Container): ResourceRequirements {
	const key = givenResources(state, spec.name, newest);
	if (key === undefined) return spec.resources ?? {};
	const { limits = {}, requests = {} } = resourcesGiven(spec.resources, key);
	return {
		...(Object.keys(limits).length > 0 && { limits }),
		...(Object.keys(requests).length > 0 && { requests }),
	};
}

function volumeMounts({ volumeMounts: mounts = [] }: ContainerSpec): VolumeMountStatus[] {
	return mounts.map(({ name, mountPath, readOnly }) =>
		readOnly === true ? { name, mountPath, readOnly, recursiveReadOnly: "Disabled" } : { name, mountPath },
	);
}
