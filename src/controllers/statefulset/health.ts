import type { Pod, StatefulSet } from "../../kinds/generated/types.ts";
import { isAvailable, isReady, isTerminating } from "../../kinds/pod/pod-lifecycle.ts";

export function isRunningAndReady(pod: Pod): boolean {
	return pod.status?.phase === "Running" && isReady(pod);
}

export function isRunningAndAvailable(set: StatefulSet, pod: Pod, nowMs: number): boolean {
	return isRunningAndReady(pod) && isAvailable(pod, set.spec.minReadySeconds, nowMs);
}

/** Whether a pod does not exist yet, is being deleted, or is not available. */
export function isUnavailable(set: StatefulSet, pod: Pod | undefined, nowMs: number): boolean {
	return pod === undefined || isTerminating(pod) || !isRunningAndAvailable(set, pod, nowMs);
}
