/** Does the actions of a pod's plan, each in the background, one at a time for each thing it concerns. */
import { messageOf } from "../../core/errors.ts";
import { pods } from "../../kinds/pod/pod.ts";
import type { Sandbox } from "../../runtime/runtime.ts";
import { type NodeContext, VolumeError } from "../context/node-context.ts";
import type { PodMemoryKeeper } from "../context/pod-memory.ts";
import { sandboxConfig } from "../context/sandbox-config.ts";
import type { PodAction } from "../pod/pod-action.ts";
import { backoffLimits } from "../pod/pod-plan.ts";
import type { PodState } from "../pod/pod-state.ts";
import { infeasibility, isPending } from "../pod/resize.ts";
import { containerLimits, resourcesKey } from "../pod/resources.ts";
import { ContainerStarter } from "./container-start.ts";
import { ContainerStopper } from "./container-stop.ts";

/** Delays between attempts to mount, upstream's: the first one, then twice as long, and the longest. */
const mountRetry = { firstMs: 500, longestMs: 122_000 };
/** What is on its way is looked for this often, and for so long before there is an event. */
const pendingRetry = { firstMs: 20, longestMs: 500, quietMs: 10_000 };
const sandboxRetryMs = 1000;
const apiRetryMs = 1000;
/** Delays between requests to delete one pod: the first one, then twice as long, and the longest. */
const deletionRetry = { firstMs: 1000, longestMs: 300_000 };

/** Actions that take time. */
type Background = Exclude<PodAction, { do: "remove" | "end" | "holdBack" | "judgeResize" }>;

/**
 * What is busy in the meantime. A stop shares its container's key: one that leaves less time overtakes the one under
 * way.
 */
function keyOf(action: Background): string {
	switch (action.do) {
		case "mountVolumes":
			return "volumes";
		case "createSandbox":
			return "sandbox";
		case "release":
			return "release";
		case "deletePod":
			return "delete";
		case "updatePodResources":
			return "pod";
		default:
			return `container:${action.name}`;
	}
}

/** Whether the runtime has to be listed again afterwards. */
function changesRuntime(key: string): boolean {
	return key !== "volumes" && key !== "delete";
}

export class PodActions {
	readonly #context: NodeContext;
	readonly #memory: PodMemoryKeeper;
	readonly #state: () => PodState;
	readonly #wake: () => void;
	/** Made when something first waits: most pods come and go without. */
	#abort: AbortController | undefined;
	#closed = false;
	readonly #starter: ContainerStarter;
	readonly #stopper: ContainerStopper;
	#mountDelayMs = mountRetry.firstMs;
	/** IDs of existing containers whose termination was reported to the log keeper. */
	#ended: ReadonlySet<string> = new Set();
	#pendingDelayMs = pendingRetry.firstMs;

	constructor(context: NodeContext, memory: PodMemoryKeeper, state: () => PodState, wake: () => void) {
		this.#context = context;
		this.#memory = memory;
		this.#state = state;
		this.#wake = wake;
		const signal = () => this.#signal();
		this.#starter = new ContainerStarter(context, memory, state, signal);
		this.#stopper = new ContainerStopper(context, memory, state, signal);
	}

	/** Begins the action; the pod's worker is woken when it has ended. Never throws. */
	do(action: Exclude<PodAction, { do: "remove" }>): void {
		if (action.do === "end") this.#end(action.verdict);
		else if (action.do === "judgeResize") this.#judgeResize();
		else if (action.do === "holdBack") {
			this.#memory.remember(action.name, { heldBack: action.waiting });
			this.#starter.recordBackOff(action.name);
		} else this.#task(keyOf(action), () => this.#run(action));
	}

	#run(action: Background): Promise<void> {
		switch (action.do) {
			case "mountVolumes":
				return this.#mountVolumes();
			case "createSandbox":
				return this.#createSandbox(action.attempt, action.replaces);
			case "startContainer":
				return this.#starter.start(action);
			case "stopContainer":
				// A container that is to go need not finish what it does after its start.
				this.#starter.endHook(action.name);
				return this.#stopper.stop(action);
			case "removeContainer":
				return this.#context.runtime.removeContainer(action.id);
			case "updateResources":
				return this.#updateResources(action.name, action.id);
			case "updatePodResources":
				return this.#updatePodResources(action.id);
			case "release":
				return this.#release();
			case "deletePod":
				return this.#deletePod();
		}
	}

	/** Reports containers that terminated since the last call to the log keeper and the metrics. */
	tellEnded(): void {
		const { endedLogs, metrics } = this.#context;
		if (endedLogs === undefined && metrics === undefined) return;
		const { pod, containers } = this.#state();
		const exited = containers.filter(({ state }) => state === "exited");
		if (exited.length === 0) return;
		for (const container of exited) {
			if (this.#ended.has(container.id)) continue;
			endedLogs?.ended(pod, container);
			metrics?.ended(pod, container);
		}
		this.#ended = new Set(exited.map(({ id }) => id));
	}

	/** Removes everything the runtime and the node keep of the pod. */
	async remove(): Promise<void> {
		const { runtime, files, view } = this.#context;
		this.#memory.setBusy("remove", true);
		try {
			const { pod, sandboxes, containers } = this.#state();
			this.tellEnded();
			await this.#context.endedLogs?.settle(pod.metadata.uid);
			for (const { id } of containers) await runtime.removeContainer(id);
			for (const { id } of sandboxes) await runtime.removeSandbox(id);
			await files?.remove(pod);
			await view.refresh(pod.metadata.uid);
		} catch (error) {
			await this.#context.clock.sleep(apiRetryMs, this.#signal()).catch(() => {});
			throw error;
		} finally {
			this.#memory.setBusy("remove", false);
		}
	}

	close(): void {
		this.#closed = true;
		this.#abort?.abort(letGo());
	}

	#signal(): AbortSignal {
		if (this.#abort === undefined) {
			this.#abort = new AbortController();
			if (this.#closed) this.#abort.abort(letGo());
		}
		return this.#abort.signal;
	}

	#task(key: string, run: () => Promise<void>): void {
		const nested = this.#memory.isBusy(key);
		this.#memory.setBusy(key, true);
		void run()
			// What concerns the pod was recorded where it failed; anything else is met again by the next plan.
			.catch(() => this.#context.clock.sleep(apiRetryMs, this.#signal()).catch(() => {}))
			.then(() => (changesRuntime(key) ? this.#context.view.refresh(this.#state().pod.metadata.uid) : undefined))
			.catch(() => {})
			.finally(() => {
				if (!nested) this.#memory.setBusy(key, false);
				this.#wake();
			});
	}

	async #mountVolumes(): Promise<void> {
		const { files, clock, events } = this.#context;
		const { pod } = this.#state();
		try {
			await files?.prepare(pod, this.#signal());
			this.#memory.volumes = { state: "ready" };
			// What was changed in the meantime found no volume to be shown in.
			const now = this.#state().pod;
			if (now !== pod) await files?.refresh(now);
		} catch (error) {
			const pending = error instanceof VolumeError && error.pending;
			if (pending && clock.now() - this.#memory.observedAtMs < pendingRetry.quietMs) {
				this.#memory.volumes = { state: "failed", retryAtMs: clock.now() + this.#pendingDelayMs };
				this.#pendingDelayMs = Math.min(this.#pendingDelayMs * 2, pendingRetry.longestMs);
				return;
			}
			events.record(pod, "Warning", "FailedMount", messageOf(error));
			this.#memory.volumes = { state: "failed", retryAtMs: clock.now() + this.#mountDelayMs };
			this.#mountDelayMs = Math.min(this.#mountDelayMs * 2, mountRetry.longestMs);
		}
	}

	async #createSandbox(attempt: number, replaces: string | undefined): Promise<void> {
		const { runtime, events, clock, node, configuration } = this.#context;
		const { pod } = this.#state();
		if (replaces !== undefined) {
			events.record(pod, "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
			await runtime.stopSandbox(replaces);
			await this.#detach();
		}
		try {
			const bounds = { clusterDomain: node.clusterDomain, pidsLimit: configuration.podPidsLimit };
			const sandbox = await runtime.createSandbox(sandboxConfig(pod, attempt, bounds));
			await this.#attach(sandbox);
			this.#memory.sandboxFailure = undefined;
		} catch (error) {
			const before = this.#memory.sandboxFailure?.delayMs;
			const delayMs = before === undefined ? sandboxRetryMs : Math.min(before * 2, backoffLimits.longestMs);
			this.#memory.sandboxFailure = { retryAtMs: clock.now() + delayMs, delayMs };
			const message = `Failed to create pod sandbox: ${messageOf(error)}`;
			events.record(pod, "Warning", "FailedCreatePodSandBox", message);
		}
	}

	async #attach(sandbox: Sandbox): Promise<void> {
		const { network, node } = this.#context;
		const { pod } = this.#state();
		if (sandbox.config.hostNetwork) {
			this.#memory.addresses = node.addresses;
			return;
		}
		if (network === undefined || sandbox.networkNamespace === undefined) return;
		const hostPorts = pod.spec.containers
			.flatMap(({ ports = [] }) => ports)
			.flatMap(({ hostPort, hostIP = "", containerPort, protocol = "TCP" }) => {
				if (hostPort === undefined || hostPort === 0) return [];
				const bound = hostIP === "" || hostIP === "0.0.0.0" ? {} : { hostAddress: hostIP };
				return [{ ...bound, hostPort, containerPort, protocol }];
			});
		const attached = await network.attachPod({
			uid: pod.metadata.uid,
			namespacePath: sandbox.networkNamespace,
			hostPorts,
		});
		this.#memory.addresses = attached.addresses;
	}

	async #detach(): Promise<void> {
		this.#memory.addresses = [];
		await this.#context.network?.detachPod(this.#state().pod.metadata.uid);
	}

	async #updateResources(name: string, id: string): Promise<void> {
		const { pod } = this.#state();
		const spec = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find((each) => each.name === name);
		try {
			await this.#context.runtime.updateLimits(id, containerLimits(spec?.resources, pod));
		} catch (error) {
			this.#memory.resize = { type: "Error", message: this.#context.words(error) };
			return;
		}
		this.#memory.remember(name, { resizedTo: { containerId: id, resources: resourcesKey(spec?.resources) } });
	}

	async #updatePodResources(id: string): Promise<void> {
		const { resources } = this.#state().pod.spec;
		try {
			await this.#context.runtime.updateSandboxLimits(id, containerLimits(resources));
		} catch (error) {
			this.#memory.resize = { type: "Error", message: this.#context.words(error) };
			return;
		}
		this.#memory.resizedPod = { sandboxId: id, resources: resourcesKey(resources) };
	}

	/** In one breath: the next pod that asks finds this one's answer. */
	#judgeResize(): void {
		if (this.#memory.resize !== undefined) return;
		const { pod } = this.#state();
		const message = infeasibility(pod, this.#context.node.allocatable);
		const shortage = message === undefined ? this.#context.shortage(pod) : undefined;
		if (message !== undefined) this.#memory.resize = { type: "Infeasible", message };
		else if (shortage === undefined) this.#memory.resize = { type: "Granted" };
		else this.#memory.resize = { type: "Deferred", message: shortage, sinceMs: this.#context.clock.now() };
		if (isPending(this.#memory.resize)) this.#context.resizeWaits();
		this.#wake();
	}

	#end(verdict: { reason: string; message: string } | undefined): void {
		const { clock, events } = this.#context;
		this.#memory.endingSinceMs = clock.now();
		if (verdict !== undefined) {
			this.#memory.verdict = verdict;
			events.record(this.#state().pod, "Normal", verdict.reason, verdict.message);
		}
		this.#wake();
	}

	async #release(): Promise<void> {
		const { runtime, files } = this.#context;
		const { pod, sandboxes } = this.#state();
		for (const sandbox of sandboxes) if (sandbox.state === "ready") await runtime.stopSandbox(sandbox.id);
		await this.#context.network?.detachPod(pod.metadata.uid);
		await files?.release(pod.metadata.uid);
		this.#memory.released = true;
	}

	/**
	 * Whether it worked, the feed will say: a pod with finalizers stays for a while, and an answer may have been lost.
	 */
	async #deletePod(): Promise<void> {
		const { client, clock } = this.#context;
		const { namespace, name, uid } = this.#state().pod.metadata;
		const options = { gracePeriodSeconds: 0, preconditions: { uid } };
		await client.delete(pods, { namespace, name }, options).catch(() => {});
		const before = this.#memory.deletion?.delayMs;
		const delayMs = before === undefined ? deletionRetry.firstMs : Math.min(before * 2, deletionRetry.longestMs);
		this.#memory.deletion = { delayMs, retryAtMs: clock.now() + delayMs };
	}
}

function letGo(): Error {
	return new Error("the agent lets go of the pod");
}
