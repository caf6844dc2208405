/** Stops one container: preStop hook, stop signal, SIGKILL after the grace period. */
import type { ManagedPod } from "../context/managed-pod.ts";
import type { PodAction } from "../pod/pod-action.ts";
import { podContainers } from "../pod/pod-state.ts";
import { runHook } from "../probes/hooks.ts";
import { postStartKey } from "./container-start.ts";

type Stop = Extract<PodAction, { do: "stopContainer" }>;

/** The minimum time after the stop signal, even if the preStop hook used the whole grace period. */
const leastGraceSeconds = 2;

/** A second stop of the same container with a shorter grace period overtakes the first. */
export async function stopContainer(managed: ManagedPod, action: Stop): Promise<void> {
	const { name, id, graceSeconds, message, restarts } = action;
	const { context, runtimeState } = managed;
	const { runtime, clock } = context;
	// The postStart hook of a container that is being stopped is aborted.
	managed.abortHook(postStartKey(name));
	const overtakes = runtimeState.container(name).stopping?.containerId === id;
	runtimeState.stops(name, { containerId: id, graceSeconds, ...(restarts === undefined ? {} : { restarts }) });
	if (overtakes) {
		managed.abortHook(preStopKey(id));
		await runtime.stopContainer(id, graceSeconds * 1000);
		return;
	}
	managed.record("Normal", "Killing", message, name);
	const begunMs = clock.monotonicMs();
	const hookRan = await preStop(managed, action);
	// The grace period may have been shortened while the hook ran.
	const given = runtimeState.container(name).stopping?.graceSeconds ?? graceSeconds;
	const leftMs = given * 1000 - (clock.monotonicMs() - begunMs);
	await runtime.stopContainer(id, hookRan ? Math.max(leftMs, leastGraceSeconds * 1000) : given * 1000);
}

/** @returns whether there was a hook to run */
async function preStop(managed: ManagedPod, { name, id, graceSeconds }: Stop): Promise<boolean> {
	const { context, runtimeState, pod } = managed;
	const spec = podContainers(pod).find((container) => container.spec.name === name)?.spec;
	const handler = spec?.lifecycle?.preStop;
	if (spec === undefined || handler === undefined || graceSeconds === 0) return false;
	const hook = managed.hookBegins(preStopKey(id));
	const deadline = context.clock.after(graceSeconds * 1000, () => hook.abort());
	try {
		const target = { pod, container: spec, id, addresses: runtimeState.addresses };
		const failure = await runHook(context, target, handler, AbortSignal.any([hook.signal, managed.signal]));
		if (failure !== undefined && !hook.signal.aborted) {
			managed.record("Warning", "FailedPreStopHook", "PreStopHook failed", name);
		}
	} finally {
		deadline.cancel();
		managed.hookEnded(preStopKey(id));
	}
	return true;
}

function preStopKey(containerId: string): string {
	return `preStop:${containerId}`;
}
