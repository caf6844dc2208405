/** The pod conditions that the agent owns (API page "Pod Lifecycle", KEP-3085 for PodReadyToStartContainers). Pure. */

import type { ContainerStatus, Pod, PodCondition } from "../../kinds/generated/types.ts";
import { isSidecar } from "../../kinds/pod/spec/sidecars.ts";
import type { Phase } from "./pod-phase.ts";

type Draft = Pick<PodCondition, "type" | "status" | "reason" | "message">;

/** Types of the conditions that only the agent writes. */
export const ownConditions: ReadonlySet<string> = new Set([
	"PodReadyToStartContainers",
	"Initialized",
	"Ready",
	"ContainersReady",
	"PodScheduled",
	"PodResizePending",
	"PodResizeInProgress",
	"AllContainersRestarting",
]);

/** Reason of a condition that other components write, too: the node terminates the pod (KEP-3329). */
export const evictionReason = "TerminationByKubelet";

export interface ConditionInput {
	pod: Pod;
	phase: Phase;
	/** Of all containers. */
	statuses: readonly ContainerStatus[];
	/** There is a ready sandbox with an address. */
	sandboxReady: boolean;
	/** Conditions of an in-place resize in progress. */
	resize: readonly Draft[];
	/** Whether all containers are being restarted; undefined for a pod without such a rule. */
	restartingAll: boolean | undefined;
	/** Why the node terminates the pod before its work is complete; undefined if it does not. */
	disruption: string | undefined;
	/** The previous conditions: a transition time changes only with the status. */
	old: readonly PodCondition[];
	now: string;
}

/** All conditions of the pod: the agent's own, computed here, and those of other components, unchanged. */
export function podConditions(input: ConditionInput): PodCondition[] {
	const containersReady = containersReadyCondition(input);
	const drafts: Draft[] = [
		{ type: "PodReadyToStartContainers", status: input.sandboxReady ? "True" : "False" },
		initializedCondition(input),
		readyCondition(input, containersReady),
		containersReady,
		{ type: "PodScheduled", status: "True" },
		...input.resize,
		...restartingAllCondition(input),
		...disruptionCondition(input),
	];
	const own = drafts.map((draft) => dated(draft, input));
	const types = new Set(drafts.map(({ type }) => type));
	const others = (input.pod.status?.conditions ?? []).filter(
		({ type }) => !ownConditions.has(type) && !types.has(type),
	);
	return own.concat(others);
}

/** As KEP-3329 specifies for a kubelet that evicts; other components write this condition, too. */
function disruptionCondition({ disruption }: ConditionInput): Draft[] {
	if (disruption === undefined) return [];
	return [{ type: "DisruptionTarget", status: "True", reason: evictionReason, message: disruption }];
}

/** Keeps the time of a condition that has not changed. */
function dated({ type, status, reason, message }: Draft, { old, now, pod }: ConditionInput): PodCondition {
	const condition: PodCondition = { type, status };
	if (reason !== undefined) condition.reason = reason;
	if (message !== undefined) condition.message = message;
	const before = old.find((candidate) => candidate.type === type);
	condition.lastTransitionTime = (before?.status === status ? before.lastTransitionTime : undefined) ?? now;
	const observedGeneration = pod.metadata.generation;
	if (observedGeneration !== undefined) condition.observedGeneration = observedGeneration;
	return condition;
}

function initializedCondition({ pod, phase, statuses }: ConditionInput): Draft {
	const type = "Initialized";
	const init = pod.spec.initContainers ?? [];
	if (phase === "Succeeded") return { type, status: "True", reason: "PodCompleted" };
	if (init.length === 0) return { type, status: "True" };
	const byName = new Map(statuses.map((status) => [status.name, status]));
	// Once a regular container has run, initialization is complete, regardless of its sidecars.
	const begun = pod.spec.containers.some(({ name }) => {
		const status = byName.get(name);
		const { running, terminated } = status?.state ?? {};
		return running !== undefined || terminated !== undefined || status?.lastState?.terminated !== undefined;
	});
	const incomplete = init.filter((container) => {
		const status = byName.get(container.name);
		if (isSidecar(container)) return status?.started !== true && !begun;
		return status?.ready !== true;
	});
	if (incomplete.length === 0) return { type, status: "True" };
	const message = `containers with incomplete status: [${incomplete.map(({ name }) => name).join(" ")}]`;
	return { type, status: "False", reason: "ContainersNotInitialized", message };
}

function containersReadyCondition({ pod, phase, statuses }: ConditionInput): Draft {
	const type = "ContainersReady";
	if (phase === "Succeeded") return { type, status: "False", reason: "PodCompleted" };
	if (phase === "Failed") return { type, status: "False", reason: "PodFailed" };
	const ready = new Set<string>();
	for (const status of statuses) if (status.ready) ready.add(status.name);
	const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar);
	const unready = [...sidecars, ...pod.spec.containers].map(({ name }) => name).filter((name) => !ready.has(name));
	if (unready.length === 0) return { type, status: "True" };
	return {
		type,
		status: "False",
		reason: "ContainersNotReady",
		message: `containers with unready status: [${unready.join(" ")}]`,
	};
}

function restartingAllCondition({ phase, restartingAll }: ConditionInput): Draft[] {
	const type = "AllContainersRestarting";
	if (restartingAll === undefined) return [];
	if (phase === "Succeeded") return [{ type, status: "False", reason: "PodCompleted" }];
	if (phase === "Failed") return [{ type, status: "False", reason: "PodFailed" }];
	if (!restartingAll) return [{ type, status: "False" }];
	const message = "container exited with restart policy rule";
	return [{ type, status: "True", reason: "RestartAllContainersStarted", message }];
}

function readyCondition({ pod }: ConditionInput, containersReady: Draft): Draft {
	const type = "Ready";
	if (containersReady.status !== "True") return { ...containersReady, type };
	const conditions = pod.status?.conditions ?? [];
	const missing = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
		const condition = conditions.find((candidate) => candidate.type === conditionType);
		if (condition === undefined) {
			return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
		}
		if (condition.status === "True") return [];
		return [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
	});
	if (missing.length === 0) return { type, status: "True" };
	return { type, status: "False", reason: "ReadinessGatesNotReady", message: missing.join(", ") };
}
