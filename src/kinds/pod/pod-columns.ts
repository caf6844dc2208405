/** The table of `kubectl get pods`. */

import { isTrue } from "../../core/conditions.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import { ageColumn, column, nameColumn, since, wideColumn } from "../engine/columns.ts";
import type { Column } from "../engine/kind.ts";
import type { ContainerStatus, Pod } from "../generated/types.ts";
import { isSidecar } from "./spec/sidecars.ts";

interface Summary {
	ready: number;
	total: number;
	restarts: number;
	/** When a container last terminated, if any was restarted. */
	lastRestart: string | undefined;
	status: string;
}

export const podColumns: readonly Column<Pod>[] = [
	nameColumn,
	column("Ready", "Containers that are ready, and all that should be.", (pod) => {
		const { ready, total } = summaryOf(pod);
		return `${ready}/${total}`;
	}),
	column("Status", "Phase of the pod, or what keeps it from running.", (pod) => summaryOf(pod).status),
	column("Restarts", "How often containers were restarted, and when last.", (pod, nowMs) => {
		const { restarts, lastRestart } = summaryOf(pod);
		return restarts === 0 || lastRestart === undefined
			? `${restarts}`
			: `${restarts} (${since(lastRestart, nowMs)} ago)`;
	}),
	ageColumn,
	wideColumn(
		"IP",
		"First address of the pod.",
		(pod) => pod.status?.podIPs?.[0]?.ip ?? (pod.status?.podIP || "<none>"),
	),
	wideColumn("Node", "Node that the pod is bound to.", (pod) => pod.spec.nodeName || "<none>"),
	wideColumn(
		"Nominated Node",
		"Node where room is being made for the pod.",
		(pod) => pod.status?.nominatedNodeName || "<none>",
	),
	wideColumn("Readiness Gates", "Readiness gates that are true, and all there are.", (pod) => {
		const gates = pod.spec.readinessGates ?? [];
		if (gates.length === 0) return "<none>";
		const open = gates.filter((gate) => isTrue(pod, gate.conditionType));
		return `${open.length}/${gates.length}`;
	}),
];

/** Three cells of a row use one pass over the pod, which is frozen. */
const summaries = new WeakMap<Pod, Summary>();

function summaryOf(pod: Pod): Summary {
	const known = summaries.get(pod);
	if (known !== undefined) return known;
	const summary = summarize(pod);
	if (Object.isFrozen(pod)) summaries.set(pod, summary);
	return summary;
}

function summarize(pod: Pod): Summary {
	const { status = {} } = pod;
	const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar);
	const summary: Summary = {
		ready: 0,
		total: (pod.spec.containers ?? []).length + sidecars.length,
		restarts: 0,
		lastRestart: undefined,
		status: status.reason || status.phase || "",
	};
	if (status.conditions?.some(({ type, reason }) => type === "PodScheduled" && reason === "SchedulingGated"))
		summary.status = "SchedulingGated";
	const sidecarNames = new Set(sidecars.map((container) => container.name));
	const initializing = countInit(pod, sidecarNames, summary);
	if (!initializing || isTrue(pod, "Initialized")) countMain(pod, sidecarNames, summary);
	if (pod.metadata.deletionTimestamp !== undefined) {
		if (status.reason === "NodeLost") summary.status = "Unknown";
		else if (status.phase !== "Succeeded" && status.phase !== "Failed") summary.status = "Terminating";
	}
	return summary;
}

/**
 * Counts init containers up to the first that is not complete.
 * @returns whether there is one
 */
function countInit(pod: Pod, sidecars: ReadonlySet<string>, summary: Summary): boolean {
	const total = pod.spec.initContainers?.length ?? 0;
	for (const [index, container] of (pod.status?.initContainerStatuses ?? []).entries()) {
		countRestarts(container, summary);
		const { terminated, waiting } = container.state ?? {};
		if (terminated?.exitCode === 0) continue;
		if (sidecars.has(container.name) && container.started === true) {
			if (container.ready) summary.ready++;
			continue;
		}
		if (terminated !== undefined) summary.status = `Init:${endText(terminated)}`;
		else if (waiting?.reason && waiting.reason !== "PodInitializing") summary.status = `Init:${waiting.reason}`;
		else summary.status = `Init:${index}/${total}`;
		return true;
	}
	return false;
}

function countMain(pod: Pod, sidecars: ReadonlySet<string>, summary: Summary): void {
	// Once the pod is initialized, only restarts of sidecars count among init containers.
	summary.restarts = 0;
	summary.lastRestart = undefined;
	for (const container of pod.status?.initContainerStatuses ?? [])
		if (sidecars.has(container.name)) countRestarts(container, summary);
	let running = false;
	for (const container of (pod.status?.containerStatuses ?? []).toReversed()) {
		countRestarts(container, summary);
		const { waiting, terminated, running: run } = container.state ?? {};
		if (waiting?.reason) summary.status = waiting.reason;
		else if (terminated !== undefined) summary.status = endText(terminated);
		else if (container.ready && run !== undefined) {
			running = true;
			summary.ready++;
		}
	}
	if (summary.status === "Completed" && running) summary.status = isTrue(pod, "Ready") ? "Running" : "NotReady";
}

function endText(terminated: { reason?: string; signal?: number; exitCode: number }): string {
	if (terminated.reason) return terminated.reason;
	return terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`;
}

function countRestarts(container: ContainerStatus, summary: Summary): void {
	summary.restarts += container.restartCount ?? 0;
	const ended = container.lastState?.terminated?.finishedAt;
	if (ended === undefined) return;
	if (summary.lastRestart === undefined || parseTimestamp(ended) > parseTimestamp(summary.lastRestart))
		summary.lastRestart = ended;
}
