/** The end of a pod: releases its resources, deletes it from the API, removes what remains. */
import { pods } from "../../kinds/pod/pod.ts";
import type { ManagedPod } from "../context/managed-pod.ts";
import type { PodAction } from "../pod/pod-action.ts";

export function endPod(managed: ManagedPod, { verdict }: Extract<PodAction, { do: "end" }>): void {
	const { context, runtimeState } = managed;
	runtimeState.ends(context.clock.now());
	managed.endStarts();
	if (verdict !== undefined) {
		runtimeState.judged(verdict);
		managed.record("Normal", verdict.reason, verdict.message);
	}
	managed.wake();
}

export async function releasePod(managed: ManagedPod): Promise<void> {
	const { context, runtimeState, uid } = managed;
	const { runtime, network, files } = context;
	for (const { state, id } of managed.state().sandboxes) if (state === "ready") await runtime.stopSandbox(id);
	await network?.detachPod(uid);
	await files?.release(uid);
	runtimeState.markReleased();
}

/**
 * The pod source reports whether it worked: a pod with finalizers remains for a while, and a response may have been
 * lost.
 */
export async function deletePod({ context, runtimeState, pod }: ManagedPod): Promise<void> {
	const { client, clock } = context;
	const { namespace, name, uid } = pod.metadata;
	const options = { gracePeriodSeconds: 0, preconditions: { uid } };
	await client.delete(pods, { namespace, name }, options).catch(() => {});
	runtimeState.deletionAsked(clock.now());
}

/** Removes everything of the pod from the runtime and the node. */
export async function removePod(managed: ManagedPod): Promise<void> {
	const { runtime, files, view, endedLogs } = managed.context;
	const { pod, sandboxes, containers } = managed.state();
	managed.tellEnded();
	await endedLogs?.settle(managed.uid);
	for (const { id } of containers) await runtime.removeContainer(id);
	for (const { id } of sandboxes) await runtime.removeSandbox(id);
	await files?.remove(pod);
	await view.refresh(managed.uid);
	managed.removed();
}
