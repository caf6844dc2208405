/** Carries out what a pod's plan says: one executor for each type of action. */
import type { ManagedPod } from "../context/managed-pod.ts";
import type { PodAction } from "../pod/pod-action.ts";
import { holdBack, startContainer } from "./container-start.ts";
import { stopContainer } from "./container-stop.ts";
import { deletePod, endPod, releasePod, removePod } from "./end-pod.ts";
import { mountVolumes } from "./mount-volumes.ts";
import { createSandbox } from "./pod-sandbox.ts";
import { judgeResize, updatePodResources, updateResources } from "./resize-pod.ts";

/** What has failed is met again by the next plan, after this long. */
const retryMs = 1000;

type ActionType = PodAction["do"];
type Action<Type extends ActionType> = Extract<PodAction, { do: Type }>;

/** Is done at once, and takes no time. */
interface Decision<Type extends ActionType> {
	decide(pod: ManagedPod, action: Action<Type>): void;
}

/** Takes its time, in the background. */
interface Effect<Type extends ActionType> {
	/**
	 * What is busy in the meantime. A stop shares its container's key: one that leaves less time overtakes the one under
	 * way.
	 */
	busy(action: Action<Type>): string;
	/** Rejects for what the next plan meets again; what concerns the pod is recorded where it fails. */
	run(pod: ManagedPod, action: Action<Type>): Promise<void>;
	/** Whether the runtime has to be listed again afterwards. */
	changesRuntime: boolean;
}

type Executor<Type extends ActionType> = Decision<Type> | Effect<Type>;

const containerKey = ({ name }: { name: string }) => `container:${name}`;

const executors: { readonly [Type in ActionType]: Executor<Type> } = {
	mountVolumes: { busy: () => "volumes", run: mountVolumes, changesRuntime: false },
	createSandbox: { busy: () => "sandbox", run: createSandbox, changesRuntime: true },
	startContainer: { busy: containerKey, run: startContainer, changesRuntime: true },
	holdBack: { decide: holdBack },
	stopContainer: { busy: containerKey, run: stopContainer, changesRuntime: true },
	removeContainer: {
		busy: containerKey,
		run: ({ context }, { id }) => context.runtime.removeContainer(id),
		changesRuntime: true,
	},
	judgeResize: { decide: judgeResize },
	updateResources: { busy: containerKey, run: updateResources, changesRuntime: true },
	updatePodResources: { busy: () => "pod", run: updatePodResources, changesRuntime: true },
	end: { decide: endPod },
	release: { busy: () => "release", run: releasePod, changesRuntime: true },
	deletePod: { busy: () => "delete", run: deletePod, changesRuntime: false },
	// It lists by itself, before the pod is forgotten.
	remove: { busy: () => "remove", run: removePod, changesRuntime: false },
};

/** Begins the action; the pod is woken when it has ended. Never throws. */
export function execute<Type extends ActionType>(pod: ManagedPod, action: Action<Type>): void {
	// Of the table, TypeScript does not see that the name of an action leads to its own executor.
	const executor = executors[action.do] as unknown as Executor<Type>;
	if ("decide" in executor) executor.decide(pod, action);
	else void runInBackground(pod, executor, action);
}

async function runInBackground<Type extends ActionType>(
	pod: ManagedPod,
	{ busy, run, changesRuntime }: Effect<Type>,
	action: Action<Type>,
): Promise<void> {
	const { context, runtimeState } = pod;
	const key = busy(action);
	const nested = runtimeState.busy.has(key);
	runtimeState.setBusy(key, true);
	try {
		await run(pod, action);
	} catch {
		await context.clock.sleep(retryMs, pod.signal).catch(ignore);
	}
	if (changesRuntime) await context.view.refresh(pod.uid).catch(ignore);
	if (!nested) runtimeState.setBusy(key, false);
	pod.wake();
}

/** The agent lets go of the pod, or the runtime is away: the next change tries again. */
function ignore(): void {}
