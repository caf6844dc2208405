/** Applies different resources to a running pod. */
import type { ManagedPod } from "../context/managed-pod.ts";
import type { PodAction } from "../pod/pod-action.ts";
import { podContainers } from "../pod/pod-state.ts";
import { infeasibility, isPending } from "../pod/resize.ts";
import { containerLimits, resourcesKey } from "../pod/runtime-resources.ts";

/** Synchronous: the next pod that asks sees the result for this one. */
export function judgeResize(managed: ManagedPod): void {
	const { context, runtimeState, pod } = managed;
	if (runtimeState.resize !== undefined) return;
	const message = infeasibility(pod, context.node.allocatable);
	const shortage = message === undefined ? context.shortage(pod) : undefined;
	if (message !== undefined) runtimeState.setResize({ type: "Infeasible", message });
	else if (shortage === undefined) runtimeState.setResize({ type: "Granted" });
	else runtimeState.setResize({ type: "Deferred", message: shortage, sinceMs: context.clock.now() });
	if (isPending(runtimeState.resize)) context.resizeWaits();
	managed.wake();
}

export async function updateResources(
	managed: ManagedPod,
	{ name, id }: Extract<PodAction, { do: "updateResources" }>,
): Promise<void> {
	const { context, runtimeState, pod } = managed;
	const resources = podContainers(pod).find(({ spec }) => spec.name === name)?.spec.resources;
	try {
		await context.runtime.updateLimits(id, containerLimits(resources, pod));
	} catch (error) {
		runtimeState.setResize({ type: "Error", message: context.words(error) });
		return;
	}
	runtimeState.resized(name, { containerId: id, resources: resourcesKey(resources) });
}

/** For the pod as a whole. */
export async function updatePodResources(
	{ context, runtimeState, pod }: ManagedPod,
	{ id }: Extract<PodAction, { do: "updatePodResources" }>,
): Promise<void> {
	const { resources } = pod.spec;
	try {
		await context.runtime.updateSandboxLimits(id, containerLimits(resources));
	} catch (error) {
		runtimeState.setResize({ type: "Error", message: context.words(error) });
		return;
	}
	runtimeState.podResized(id, resourcesKey(resources));
}
