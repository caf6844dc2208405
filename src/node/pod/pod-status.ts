/** The status of a pod in the API. Pure. */

import { timestamp } from "../../core/time/clock.ts";
import type { ContainerStatus, PodStatus } from "../../kinds/generated/types.ts";
import { isFinalPhase } from "../../kinds/pod/pod-lifecycle.ts";
import { qosClass } from "../../kinds/pod/pod-qos.ts";
import { containerStatus } from "./container-status.ts";
import { podConditions } from "./pod-conditions.ts";
import { type Phase, podPhase } from "./pod-phase.ts";
import {
	containerRuntimeState,
	isRestartingAll,
	mayRestartAll,
	type PodState,
	podContainers,
	readySandbox,
	workIsOver,
} from "./pod-state.ts";
import { allocatedPod, givenPodResources, resourcesFromKey } from "./resize.ts";
import { resourcesKey } from "./runtime-resources.ts";

/**
 * The pod's complete status. Equal input gives equal output, so that the caller writes only changes.
 * @param nowMs for transition times
 */
export function podStatus(state: PodState, nowMs: number): PodStatus {
	const { pod, runtimeState, node } = state;
	const old = state.previous ?? pod.status;
	const containers = podContainers(pod);
	const someRun = state.containers.some((container) => container.state === "running");
	const ends = workIsOver(state) || runtimeState.endingSinceMs !== undefined;
	// A phase is final only when no container is running: no replacement may start before that.
	const over = isFinalPhase(pod.status?.phase) || refused(state) || (!someRun && !containerBusy(state) && ends);
	const statusesOf = (list: "init" | "regular" | "ephemeral") =>
		containers.filter(({ role }) => listOf[role] === list).map((one) => containerStatus(state, one, over));
	const init = statusesOf("init");
	const regular = statusesOf("regular").sort((a, b) => (a.name < b.name ? -1 : 1));
	const statuses = init.concat(regular);
	const phase = phaseOf(state, statuses, over);
	const verdict = over ? runtimeState.verdict : undefined;
	const addresses = podAddresses(state, old);
	const conditions = podConditions({
		pod,
		phase,
		statuses,
		sandboxReady: !over && !runtimeState.released && readySandbox(state) !== undefined && addresses.length > 0,
		resize: resizeConditions(state, regular),
		restartingAll: mayRestartAll(pod) ? isRestartingAll(state) : undefined,
		disruption: runtimeState.verdict?.graceSeconds === undefined ? undefined : runtimeState.verdict.message,
		old: old?.conditions ?? [],
		now: timestamp(nowMs),
	});
	const status: PodStatus = {
		phase,
		conditions,
		hostIPs: node.addresses.map(toIp),
		startTime: old?.startTime ?? timestamp(runtimeState.observedAtMs),
		qosClass: pod.status?.qosClass ?? qosClass(pod.spec),
	};
	if (pod.metadata.generation !== undefined) status.observedGeneration = pod.metadata.generation;
	if (node.addresses[0] !== undefined) status.hostIP = node.addresses[0];
	if (addresses[0] !== undefined) {
		status.podIP = addresses[0];
		status.podIPs = addresses.map(toIp);
	}
	if (!refused(state)) {
		status.containerStatuses = regular;
		if (init.length > 0) status.initContainerStatuses = init;
		const ephemeral = statusesOf("ephemeral");
		if (ephemeral.length > 0) status.ephemeralContainerStatuses = ephemeral;
	}
	if (pod.spec.resources !== undefined && state.sandboxes.length > 0) {
		const { requests } = allocatedPod(state).spec.resources ?? {};
		if (requests !== undefined) status.allocatedResources = requests;
		const given = givenPodResources(state);
		status.resources = given === undefined ? pod.spec.resources : resourcesFromKey(given);
	}
	const reason = verdict?.reason ?? pod.status?.reason;
	const message = verdict?.message ?? pod.status?.message;
	if (reason !== undefined) status.reason = reason;
	if (message !== undefined) status.message = message;
	// What others write.
	const { nominatedNodeName, resourceClaimStatuses } = pod.status ?? {};
	if (nominatedNodeName !== undefined) status.nominatedNodeName = nominatedNodeName;
	if (resourceClaimStatuses !== undefined) status.resourceClaimStatuses = resourceClaimStatuses;
	return status;
}

/** The list of the status that contains a container. */
const listOf = { init: "init", sidecar: "init", regular: "regular", ephemeral: "ephemeral" } as const;

function toIp(ip: string): { ip: string } {
	return { ip };
}

/** Rejected at admission, by this agent or the previous one: the pod never had a sandbox. */
function refused({ runtimeState, sandboxes, containers, pod }: PodState): boolean {
	return (
		(runtimeState.verdict !== undefined || isFinalPhase(pod.status?.phase)) &&
		sandboxes.length === 0 &&
		containers.length === 0 &&
		pod.status?.containerStatuses === undefined
	);
}

function containerBusy({ runtimeState }: PodState): boolean {
	for (const key of runtimeState.busy) if (key.startsWith("container:") || key === "sandbox") return true;
	return false;
}

function phaseOf(state: PodState, statuses: readonly ContainerStatus[], over: boolean): Phase {
	const phase = state.pod.status?.phase;
	if (isFinalPhase(phase)) return phase;
	if (over && state.runtimeState.verdict !== undefined) return "Failed";
	const computed = podPhase(state.pod.spec, statuses, over);
	const old = (state.previous ?? state.pod.status)?.phase;
	// A pod that was Running does not become Pending again.
	return computed === "Pending" && old === "Running" && state.runtimeState.endingSinceMs !== undefined
		? "Running"
		: computed;
}

function podAddresses(state: PodState, old: PodStatus | undefined): readonly string[] {
	if (state.pod.spec.hostNetwork === true) return state.sandboxes.length > 0 ? state.node.addresses : [];
	if (state.runtimeState.addresses.length > 0) return state.runtimeState.addresses;
	return old?.podIPs?.map(({ ip }) => ip) ?? [];
}

function resizeConditions(state: PodState, statuses: readonly ContainerStatus[]) {
	const { resize } = state.runtimeState;
	if (resize?.type === "Error") {
		return [{ type: "PodResizeInProgress", status: "True", reason: resize.type, message: resize.message }];
	}
	if (resize?.type === "Deferred" || resize?.type === "Infeasible") {
		return [{ type: "PodResizePending", status: "True", reason: resize.type, message: resize.message }];
	}
	const underWay = podContainers(state.pod).some(({ spec }) => {
		const status = statuses.find(({ name }) => name === spec.name);
		return (
			status?.resources !== undefined &&
			resourcesKey(status.resources) !== resourcesKey(spec.resources) &&
			state.runtimeState.busy.has(`container:${spec.name}`) &&
			containerRuntimeState(state, spec.name).stopping === undefined
		);
	});
	return underWay || state.runtimeState.busy.has("pod") ? [{ type: "PodResizeInProgress", status: "True" }] : [];
}
