/** Which pods' samples count (Kubernetes documentation, "Horizontal Pod Autoscaling", "Algorithm details"). */

import { quantityMilli } from "../../core/quantity.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { readyCondition } from "../../kinds/pod/pod-lifecycle.ts";
import { sidecarsOf } from "../../kinds/pod/spec/sidecars.ts";
import type { Sample } from "./metrics.ts";

/** Upstream's --horizontal-pod-autoscaler-cpu-initialization-period and -initial-readiness-delay. */
const cpuInitializationMs = 300_000;
const initialReadinessMs = 30_000;

export interface PodGroups {
	readyCount: number;
	/** Names of pods whose samples do not count. */
	unready: Set<string>;
	missing: Set<string>;
	ignored: Set<string>;
}

export function groupPods(
	pods: readonly Pod[],
	samples: ReadonlyMap<string, Sample>,
	resource: string,
	nowMs: number,
): PodGroups {
	const grouped: PodGroups = { readyCount: 0, unready: new Set(), missing: new Set(), ignored: new Set() };
	for (const pod of pods) {
		const { name, deletionTimestamp } = pod.metadata;
		const phase = pod.status?.phase;
		const sample = samples.get(name);
		if (deletionTimestamp !== undefined || phase === "Failed") grouped.ignored.add(name);
		else if (phase === "Pending") grouped.unready.add(name);
		else if (sample === undefined) grouped.missing.add(name);
		else if (resource === "cpu" && isStarting(pod, sample, nowMs)) grouped.unready.add(name);
		else grouped.readyCount++;
	}
	return grouped;
}

/** The CPU usage of a pod that is starting does not reflect its load. */
function isStarting(pod: Pod, sample: Sample, nowMs: number): boolean {
	const condition = readyCondition(pod);
	const startTime = pod.status?.startTime;
	if (condition === undefined || startTime === undefined) return true;
	const startedMs = parseTimestamp(startTime);
	const changedMs = condition.lastTransitionTime === undefined ? 0 : parseTimestamp(condition.lastTransitionTime);
	if (startedMs + cpuInitializationMs > nowMs)
		return condition.status === "False" || sample.atMs < changedMs + sample.windowMs;
	// Never ready since its start.
	return condition.status === "False" && startedMs + initialReadinessMs > changedMs;
}

/** Requests in thousandths by pod name, or why there are none. */
export function requestsOf(
	pods: readonly Pod[],
	resource: string,
	container: string | undefined,
): Map<string, number> | { problem: string } {
	const requests = new Map<string, number>();
	for (const { spec, metadata } of pods) {
		const podLevel = container === undefined ? spec.resources?.requests?.[resource] : undefined;
		if (podLevel !== undefined) {
			requests.set(metadata.name, Number(quantityMilli(podLevel)));
			continue;
		}
		const sidecars = sidecarsOf(spec);
		const counted = [...spec.containers, ...sidecars].filter(
			({ name }) => container === undefined || name === container,
		);
		let sum = 0;
		for (const { name, resources } of counted) {
			const request = resources?.requests?.[resource];
			if (request === undefined)
				return { problem: `missing request for ${resource} in container ${name} of Pod ${metadata.name}` };
			sum += Number(quantityMilli(request));
		}
		requests.set(metadata.name, sum);
	}
	return requests;
}
