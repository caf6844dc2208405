/**
 * The driver of one pod: takes stock, plans (pod-plan.ts), does what the plan says in the background, writes the status
 * (pod-status.ts), and does so again whenever something happened. Nothing is polled.
 */

import type { Timer } from "../../core/clock.ts";
import { semanticEqual } from "../../core/equal.ts";
import type { Pod, PodStatus } from "../../kinds/generated/types.ts";
import { isFinalPhase } from "../../kinds/pod/pod-lifecycle.ts";
import { ManagedPod, type PodDriver } from "../context/managed-pod.ts";
import type { NodeContext } from "../context/node-context.ts";
import { planPod } from "../pod/pod-plan.ts";
import { instances, type PodState, podContainers, type Verdict } from "../pod/pod-state.ts";
import { podStatus } from "../pod/pod-status.ts";
import { allocatedPod, isPending } from "../pod/resize.ts";
import { PodProbes } from "../probes/pod-probes.ts";
import { execute } from "./pod-actions.ts";
import { StatusWriter } from "./status-writer.ts";

/**
 * A status that only says that containers are being created waits this long for the one that says more: most pods are
 * up by then, and one write less is made.
 */
const uneventfulDelayMs = 50;
/**
 * When the node ends a container to start it again (another image, a failed probe), a kubelet tells of both at once,
 * unless it takes longer than its look at the runtime comes round.
 */
const replacementDelayMs = 1000;

export class PodWorker implements PodDriver {
	readonly #context: NodeContext;
	readonly #managed: ManagedPod;
	readonly #probes: PodProbes;
	readonly #writer: StatusWriter;
	readonly #removed: () => void;
	#wake: Timer | undefined;
	#turning = false;
	#again = false;

	/** @param removed called when nothing of the pod is left on the node */
	constructor(context: NodeContext, pod: Pod, removed: () => void) {
		this.#context = context;
		this.#removed = removed;
		this.#managed = new ManagedPod(context, pod, this);
		this.#probes = new PodProbes(this.#managed);
		this.#writer = new StatusWriter(context.client, context.clock, pod, () => this.wake());
		context.references.hold(pod, () => this.#referencesChanged());
	}

	get pod(): Pod {
		return this.#managed.pod;
	}

	/** Whether the pod still takes of the node's resources. */
	get active(): boolean {
		const { gone, status, pod, runtimeState } = this.#managed;
		return !gone && !isFinalPhase(status?.phase ?? pod.status?.phase) && runtimeState.verdict === undefined;
	}

	/** The API has a newer version of the pod. */
	update(pod: Pod): void {
		const { runtimeState, pod: before } = this.#managed;
		// What could not be had of resources may be asked differently now.
		if (pod.metadata.generation !== before.metadata.generation) runtimeState.setResize(undefined);
		this.#managed.update(pod);
		if (before.spec !== pod.spec) {
			for (const name of changedImages(before, pod)) runtimeState.forgetFailures(name);
		}
		const isEcho = this.#writer.observe(pod);
		const isOther = showsOther(before, pod);
		// The answer to the write wakes the worker too: no need to take stock twice.
		if (isEcho && !isOther && sameTask(before, pod)) return;
		if (isOther) this.#refreshFiles();
		// Only ephemeral containers can name anything new.
		if (pod.spec.ephemeralContainers !== undefined) this.#context.references.hold(pod, () => this.#referencesChanged());
		this.wake();
	}

	/** The API has the pod no more. */
	vanish(last: Pod = this.pod): void {
		this.#managed.vanish(last);
		this.#writer.close();
		this.wake();
	}

	/** Ends the pod for good: refused at admission, or evicted. */
	end(verdict: Verdict): void {
		this.#managed.runtimeState.judged(verdict);
		this.#managed.record("Warning", verdict.reason, verdict.message.replace(/^Pod was rejected: /, ""));
		this.wake();
	}

	/** Since when the pod waits for resources, epoch milliseconds; undefined when it does not. */
	get waitsSinceMs(): number | undefined {
		const { resize } = this.#managed.runtimeState;
		return resize?.type === "Deferred" ? resize.sinceMs : undefined;
	}

	/** Looks whether there is room now for resources that had to wait. Returns whether there is. */
	retryResize(): boolean {
		const { pod, runtimeState } = this.#managed;
		const { resize } = runtimeState;
		if (resize?.type !== "Deferred") return false;
		const message = this.#context.shortage(pod);
		if (message === resize.message) return false;
		runtimeState.setResize(message === undefined ? { type: "Granted" } : { ...resize, message });
		this.wake();
		return message === undefined;
	}

	/** The pod with what the node has granted it of resources. */
	allocated(): Pod {
		return isPending(this.#managed.runtimeState.resize) ? allocatedPod(this.#managed.state()) : this.pod;
	}

	/** Takes addresses up again that the pod had before the agent restarted. */
	adoptAddresses(addresses: readonly string[]): void {
		this.#managed.runtimeState.setAddresses(addresses);
	}

	/** Takes stock and plans, once, however often it is called in the meantime. */
	wake(): void {
		if (this.#managed.closed) return;
		this.#again = true;
		if (this.#turning) return;
		this.#turning = true;
		void this.#turns();
	}

	/** As an executor says: nothing of the pod is left on the node. */
	removed(): void {
		this.close();
		this.#removed();
	}

	/** Shows changed ConfigMaps and Secrets in the pod's volumes, and tries again what waited for them. */
	#referencesChanged(): void {
		this.#managed.runtimeState.retryAtOnce();
		this.#refreshFiles();
		this.wake();
	}

	#refreshFiles(): void {
		const { files } = this.#context;
		const { pod, runtimeState } = this.#managed;
		if (files !== undefined && runtimeState.volumes.state === "ready") void files.refresh(pod).catch(() => {});
	}

	/** Releases the pod; its containers keep running. */
	close(): void {
		this.#managed.close();
		this.#wake?.cancel();
		this.#writer.close();
		this.#probes.close();
		this.#context.references.release(this.#managed.uid);
		this.#context.metrics?.forget(this.#managed.uid);
	}

	async #turns(): Promise<void> {
		try {
			while (this.#again && !this.#managed.closed) {
				this.#again = false;
				await this.#sync();
			}
		} finally {
			// In the same breath as the last look at `#again`: a wake from now on starts over.
			this.#turning = false;
		}
	}

	async #sync(): Promise<void> {
		const { clock } = this.#context;
		await this.#readTerminationMessages();
		if (this.#managed.closed) return;
		this.#managed.tellEnded();
		const plan = planPod(this.#managed.state(), clock.now());
		for (const action of plan.actions) execute(this.#managed, action);
		if (this.#managed.closed) return;
		const state = this.#managed.state();
		this.#probes.ensure(state);
		this.#writeStatus(state);
		this.#wake?.cancel();
		this.#wake = undefined;
		if (plan.wakeAtMs !== undefined) {
			this.#wake = clock.after(Math.max(plan.wakeAtMs - clock.now(), 0), () => this.wake());
		}
	}

	#writeStatus(state: PodState): void {
		const managed = this.#managed;
		if (managed.gone) return;
		const status = podStatus(state, this.#context.clock.now());
		if (this.#writer.has(status)) {
			managed.setStatus(this.#writer.acknowledged);
			// The status of a pod that has released everything is its last; whatever waits for that may continue.
			if (state.runtimeState.released && !state.runtimeState.statusWritten) {
				managed.runtimeState.markStatusWritten();
				this.wake();
			}
			return;
		}
		managed.setStatus(status);
		const delayMs = isUneventful(status) ? uneventfulDelayMs : isReplacing(state) ? replacementDelayMs : 0;
		this.#writer.write(state.pod, status, delayMs);
	}

	/** Reads what exited containers left, before anything is said about them. */
	async #readTerminationMessages(): Promise<void> {
		const { files, view } = this.#context;
		if (files === undefined) return;
		const { uid, runtimeState } = this.#managed;
		for (const container of view.of(uid).containers) {
			if (container.state !== "exited" || runtimeState.terminationMessages.has(container.id)) continue;
			const message = await files.terminationMessage(this.pod, container).catch(() => "");
			runtimeState.setTerminationMessage(container.id, message);
		}
	}
}

/** Names of containers that have another image than before. */
function changedImages(before: Pod, now: Pod): string[] {
	const images = new Map(podContainers(before).map(({ spec }) => [spec.name, spec.image]));
	return podContainers(now).flatMap(({ spec }) => (images.get(spec.name) === spec.image ? [] : [spec.name]));
}

/** The API server keeps what a write of the status leaves alone; of what comes over a network that cannot be told. */
function sameTask(before: Pod, now: Pod): boolean {
	return before.spec === now.spec && before.metadata.deletionTimestamp === now.metadata.deletionTimestamp;
}

/** Nothing but "is being created" to say. */
function isUneventful(status: PodStatus): boolean {
	const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
	return (
		status.phase === "Pending" &&
		all.length > 0 &&
		all.every(({ state, lastState }) => {
			const reason = state?.waiting?.reason;
			return (reason === "ContainerCreating" || reason === "PodInitializing") && lastState?.terminated === undefined;
		})
	);
}

/** Whether a container that the node ended itself is about to come up again. */
function isReplacing(state: PodState): boolean {
	const { pod, runtimeState } = state;
	if (pod.metadata.deletionTimestamp !== undefined || runtimeState.endingSinceMs !== undefined) return false;
	for (const [name, { stopping }] of runtimeState.containers) {
		if (stopping === undefined || !runtimeState.busy.has(`container:${name}`)) continue;
		const [newest] = instances(state, name);
		if (newest?.id === stopping.containerId && newest.state === "exited") return true;
	}
	return false;
}

/** Whether volumes and files of the pod may say something else than before, by its own doing. */
function showsOther(before: Pod, now: Pod): boolean {
	return (
		!semanticEqual(before.metadata.labels, now.metadata.labels) ||
		!semanticEqual(before.metadata.annotations, now.metadata.annotations) ||
		before.metadata.generation !== now.metadata.generation
	);
}
