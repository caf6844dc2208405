/** Carries out a pod's plan: one executor for each type of action. */
import type { ManagedPod } from "../context/managed-pod.ts";
import type { PodAction } from "../pod/pod-action.ts";
import { holdBack, startContainer } from "./container-start.ts";
import { stopContainer } from "./container-stop.ts";
import { deletePod, endPod, releasePod, removePod } from "./end-pod.ts";
import { mountVolumes } from "./mount-volumes.ts";
import { createSandbox } from "./pod-sandbox.ts";
import { judgeResize, updatePodResources, updateResources } from "./resize-pod.ts";

/** The delay before the next plan after a failure. */
const retryMs = 1000;

type ActionType = PodAction["do"];
type Action<Type extends ActionType> = Extract<PodAction, { do: Type }>;

/** Executed immediately. */
interface Decision<Type extends ActionType> {
	decide(pod: ManagedPod, action: Action<Type>): void;
}

/** Executed in the background. */
interface Effect<Type extends ActionType> {
	/**
	 * The key that is busy while it runs. A stop shares the key of its container: one with a shorter grace period
	 * overtakes the one in progress.
	 */
	busy(action: Action<Type>): string;
	/** Rejects on errors that the next plan encounters again; errors of the pod are recorded where they occur. */
	run(pod: ManagedPod, action: Action<Type>): Promise<void>;
	/** Whether the runtime must be listed again afterwards. */
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
	// It lists the runtime itself, before the pod is forgotten.
	remove: { busy: () => "remove", run: removePod, changesRuntime: false },
};

/** Begins the action, and wakes the pod when it has ended. Never throws. */
export function execute<Type extends ActionType>(pod: ManagedPod, action: Action<Type>): void {
	// TypeScript does not see that the name of an action selects its own executor.
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

/** The agent releases the pod, or the runtime is unavailable: the next change retries. */
function ignore(): void {}
