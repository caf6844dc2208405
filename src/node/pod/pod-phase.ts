/** A pod's phase from its containers' statuses (API page "Pod Lifecycle", KEP-753 for sidecars). Pure. */

import type { ContainerStatus, PodSpec } from "../../kinds/generated/types.ts";
import { isSidecar } from "../../kinds/pod/spec/sidecars.ts";

export type Phase = "Pending" | "Running" | "Succeeded" | "Failed";

interface Counts {
	running: number;
	waiting: number;
	stopped: number;
	succeeded: number;
	unknown: number;
}

/** @param over the pod's work is complete and none of its containers is running: the phase is final */
export function podPhase(spec: PodSpec, statuses: readonly ContainerStatus[], over: boolean): Phase {
	const byName = new Map(statuses.map((status) => [status.name, status]));
	const init = initCounts(spec, byName);
	if (init.failed > 0 && spec.restartPolicy === "Never" && over) return "Failed";
	const anyStarted = spec.containers.some(({ name }) => {
		const status = byName.get(name);
		return status?.state?.running !== undefined || wasTerminated(status);
	});
	const counts: Counts = { running: 0, waiting: 0, stopped: 0, succeeded: 0, unknown: 0 };
	for (const { name } of spec.containers) count(byName.get(name), counts);
	if (over)
		return counts.stopped > 0 && counts.stopped === counts.succeeded && counts.waiting === 0 ? "Succeeded" : "Failed";
	if (init.pending > 0 || (init.pendingSidecars > 0 && !anyStarted)) return "Pending";
	if (counts.waiting > 0 || init.waitingSidecars > 0) return "Pending";
	if (counts.unknown > 0) return "Pending";
	// A pod whose containers have all terminated, with restarts or sidecars still to come, is running.
	return counts.running + counts.stopped > 0 ? "Running" : "Pending";
}

function initCounts(spec: PodSpec, byName: ReadonlyMap<string, ContainerStatus>) {
	const counts = { pending: 0, failed: 0, pendingSidecars: 0, waitingSidecars: 0 };
	for (const container of spec.initContainers ?? []) {
		const status = byName.get(container.name);
		const { running, terminated } = status?.state ?? {};
		if (isSidecar(container)) {
			if (running !== undefined && status?.started !== true) counts.pendingSidecars++;
			else if (running === undefined && terminated === undefined && !wasTerminated(status)) {
				counts.pendingSidecars++;
				counts.waitingSidecars++;
			}
		} else if (terminated !== undefined) {
			if (terminated.exitCode !== 0) counts.failed++;
		} else counts.pending++;
	}
	// An init container that failed and will be retried leaves the pod pending.
	if (spec.restartPolicy !== "Never") counts.pending += counts.failed;
	return counts;
}

function count(status: ContainerStatus | undefined, counts: Counts): void {
	const { running, terminated } = status?.state ?? {};
	if (running !== undefined) counts.running++;
	else if (terminated !== undefined) {
		counts.stopped++;
		if (terminated.exitCode === 0) counts.succeeded++;
	} else if (status?.state?.waiting !== undefined) {
		if (wasTerminated(status)) counts.stopped++;
		else counts.waiting++;
	} else counts.unknown++;
}

function wasTerminated(status: ContainerStatus | undefined): boolean {
	return status?.state?.terminated !== undefined || status?.lastState?.terminated !== undefined;
}
