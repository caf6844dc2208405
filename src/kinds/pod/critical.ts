/** Pods that a node does not evict or reject for want of resources, as upstream. Pure. */
import { systemCriticalPriority } from "../core/priorityclass.ts";
import type { Pod } from "../generated/types.ts";
import { isMirrorPod, isStaticPod } from "./static-pod.ts";

export function isCritical(pod: Pod): boolean {
	return isStaticPod(pod) || isMirrorPod(pod) || (pod.spec.priority ?? 0) >= systemCriticalPriority;
}
