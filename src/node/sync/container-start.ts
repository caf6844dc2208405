/** Starts one container of a pod: image, configuration, creation, start, postStart hook. Records what fails. */

import type { Container } from "../../runtime/runtime.ts";
import type { ManagedPod } from "../context/managed-pod.ts";
import { ConfigError } from "../context/node-context.ts";
import type { PodAction } from "../pod/pod-action.ts";
import { instances, type PodContainer, podContainers, podGraceSeconds } from "../pod/pod-state.ts";
import { allocatedPod } from "../pod/resize.ts";
import { runHook } from "../probes/hooks.ts";
import { type ContainerImages, resolveImages, startRetryMs } from "./container-image.ts";

/** Never throws for errors of the pod, which are recorded for its status. */
export async function startContainer(
	managed: ManagedPod,
	{ name, attempt, backoff }: Extract<PodAction, { do: "startContainer" }>,
): Promise<void> {
	const container = podContainers(allocatedPod(managed.state())).find(({ spec }) => spec.name === name);
	if (container === undefined) return;
	const images = await resolveImages(managed, container.spec);
	if (images === undefined) return;
	const created = await create(managed, container, attempt, images);
	if (created === undefined) return;
	managed.runtimeState.created(name, backoff);
	if (await run(managed, name, created)) await postStart(managed, container, created.id);
}

/** Delays a restart: the container shows CrashLoopBackOff. */
export function holdBack(managed: ManagedPod, { name, waiting }: Extract<PodAction, { do: "holdBack" }>): void {
	managed.runtimeState.restartHeldBack(name, waiting);
	const { name: podName, namespace, uid } = managed.pod.metadata;
	const message = `Back-off restarting failed container ${name} in pod ${podName}_${namespace}(${uid})`;
	managed.record("Warning", "BackOff", message, name);
}

/** Key for `ManagedPod.abortHook`, which aborts the postStart hook of a container. */
export function postStartKey(name: string): string {
	return `postStart:${name}`;
}

async function create(
	managed: ManagedPod,
	container: PodContainer,
	attempt: number,
	{ image, volumeImages }: ContainerImages,
): Promise<Container | undefined> {
	const { context, runtimeState } = managed;
	const { runtime, clock, files, containerConfig } = context;
	const { name } = container.spec;
	const state = managed.state();
	const pod = allocatedPod(state);
	const sandbox = state.sandboxes.at(-1);
	if (sandbox === undefined) return undefined;
	try {
		const { addresses } = runtimeState;
		const targetId = targetOf(managed, container);
		const config = await containerConfig(pod, container, { attempt, image, volumeImages, addresses, targetId });
		const created = await runtime.createContainer(sandbox.id, config);
		managed.record("Normal", "Created", "Container created", name);
		await files?.linkLog(pod, created);
		return created;
	} catch (error) {
		const reason = error instanceof ConfigError ? "CreateContainerConfigError" : "CreateContainerError";
		const message = context.words(error);
		managed.record("Warning", "Failed", `Error: ${message}`, name);
		runtimeState.startFailed(name, { reason, message, retryAtMs: clock.now() + startRetryMs });
		context.metrics?.notStarted(pod, name, reason);
		return undefined;
	}
}

/**
 * ID of the container whose processes an ephemeral container sees.
 * @throws ConfigError if it does not exist yet
 */
function targetOf(managed: ManagedPod, { targetContainerName: name = "" }: PodContainer): string | undefined {
	if (name === "") return undefined;
	const [newest] = instances(managed.state(), name);
	if (newest === undefined) throw new ConfigError(`unable to find target container ${name}`);
	return newest.id;
}

/** @returns whether it is running */
async function run(managed: ManagedPod, name: string, { id: createdId }: Container): Promise<boolean> {
	const { context, runtimeState } = managed;
	const { runtime, clock, view, metrics } = context;
	try {
		await runtime.startContainer(createdId);
	} catch (error) {
		const [reason, message] = ["RunContainerError", context.words(error)];
		managed.record("Warning", "Failed", `Error: ${message}`, name);
		runtimeState.startFailed(name, { reason, message, retryAtMs: clock.now() + startRetryMs });
		metrics?.notStarted(managed.pod, name, reason);
		await runtime.removeContainer(createdId).catch(() => {});
		return false;
	}
	await view.refresh(managed.uid);
	// Only after the runtime reports the new container: until then the state refers to the old one.
	runtimeState.replaced(name);
	const started = view.of(managed.uid).containers.find(({ id }) => id === createdId);
	if (started?.state === "exited" && (started.reason === "StartError" || started.reason === "ContainerCannotRun")) {
		managed.record("Warning", "Failed", `Error: ${started.message ?? started.reason}`, name);
		metrics?.notStarted(managed.pod, name, "RunContainerError");
		return false;
	}
	managed.record("Normal", "Started", "Container started", name);
	metrics?.started(managed.pod, name);
	return started?.state === "running";
}

async function postStart(managed: ManagedPod, { spec }: PodContainer, id: string): Promise<void> {
	const { context, runtimeState, pod } = managed;
	const { name, lifecycle } = spec;
	if (lifecycle?.postStart === undefined) return;
	const hook = managed.hookBegins(postStartKey(name));
	const target = { pod, container: spec, id, addresses: runtimeState.addresses };
	const signal = AbortSignal.any([hook.signal, managed.signal]);
	const failure = await runHook(context, target, lifecycle.postStart, signal);
	managed.hookEnded(postStartKey(name));
	if (failure === undefined || signal.aborted) return;
	managed.record("Warning", "FailedPostStartHook", "PostStartHook failed", name);
	managed.record("Normal", "Killing", "FailedPostStartHook", name);
	runtimeState.stops(name, { containerId: id, graceSeconds: podGraceSeconds(managed.state()) });
	await context.runtime.stopContainer(id, podGraceSeconds(managed.state()) * 1000);
}
