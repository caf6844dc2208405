/**
 * The worker of one pod: examines it, plans (pod-plan.ts), carries out the plan in the background, writes the status
 * (pod-status.ts), and repeats this after every change. Nothing is polled.
 */

import { semanticEqual } from "../../core/equal.ts";
import type { Timer } from "../../core/time/clock.ts";
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
 * A status that only reports that containers are being created is delayed by this time: most pods are running by then,
 * which saves a write.
 */
const uneventfulDelayMs = 50;
/**
 * When the node stops a container to start it again (new image, failed probe), a kubelet reports both at once, unless
 * it takes longer than its sync interval.
 */
const replacementDelayMs = 1000;

export class PodWorker implements PodDriver {
	readonly #context: NodeContext;
	readonly #managed: ManagedPod;
	readonly #probes: PodProbes;
	readonly #writer: StatusWriter;
	readonly #removed: () => void;
	#wake: Timer | undefined;
	readonly #over = deferred();
	#turning = false;
	#again = false;

	/** @param removed called when nothing of the pod remains on the node */
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

	/** Whether the pod still uses the node's resources. */
	get active(): boolean {
		const { gone, status, pod, runtimeState } = this.#managed;
		return !gone && !isFinalPhase(status?.phase ?? pod.status?.phase) && runtimeState.verdict === undefined;
	}

	/** Resolves when the pod has ended and the API knows it, or nothing of it remains here. */
	get over(): Promise<void> {
		return this.#over.promise;
	}

	/** Whether the pod has released what it used of the node. */
	get released(): boolean {
		return this.#managed.runtimeState.released || this.#managed.closed;
	}

	/** The API has a newer version of the pod. */
	update(pod: Pod): void {
		const { runtimeState, pod: before } = this.#managed;
		// The request for resources that were unavailable may have changed.
		if (pod.metadata.generation !== before.metadata.generation) runtimeState.setResize(undefined);
		this.#managed.update(pod);
		if (before.spec !== pod.spec) {
			for (const name of changedImages(before, pod)) runtimeState.forgetFailures(name);
		}
		const isEcho = this.#writer.observe(pod);
		const isOther = showsOther(before, pod);
		// The response to the write wakes the worker, too: one turn is enough.
		if (isEcho && !isOther && sameTask(before, pod)) return;
		if (isOther) this.#refreshFiles();
		// Only ephemeral containers can add references.
		if (pod.spec.ephemeralContainers !== undefined) this.#context.references.hold(pod, () => this.#referencesChanged());
		this.wake();
	}

	/** The pod no longer exists in the API. */
	vanish(last: Pod = this.pod): void {
		this.#managed.vanish(last);
		this.#writer.close();
		this.wake();
	}

	/** Terminates the pod for good: rejected at admission, or evicted. */
	end(verdict: Verdict): void {
		this.#managed.runtimeState.judged(verdict);
		this.#managed.endStarts();
		this.#managed.record("Warning", verdict.reason, verdict.message.replace(/^Pod was rejected: /, ""));
		this.wake();
	}

	/** When the pod began to wait for resources, in epoch milliseconds; undefined if it does not wait. */
	get waitsSinceMs(): number | undefined {
		const { resize } = this.#managed.runtimeState;
		return resize?.type === "Deferred" ? resize.sinceMs : undefined;
	}

	/**
	 * Checks whether the resources that the pod waits for are available now.
	 * @returns whether they are
	 */
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

	/** The pod with the resources that the node has granted. */
	allocated(): Pod {
		return isPending(this.#managed.runtimeState.resize) ? allocatedPod(this.#managed.state()) : this.pod;
	}

	/** Restores addresses that the pod had before the agent restarted. */
	adoptAddresses(addresses: readonly string[]): void {
		this.#managed.runtimeState.setAddresses(addresses);
	}

	/** Examines and plans once, regardless of how often it is called in the meantime. */
	wake(): void {
		if (this.#managed.closed) return;
		this.#again = true;
		if (this.#turning) return;
		this.#turning = true;
		void this.#turns();
	}

	/** Called by an executor: nothing of the pod remains on the node. */
	removed(): void {
		this.close();
		this.#removed();
	}

	/** Updates changed ConfigMaps and Secrets in the pod's volumes, and retries what waited for them. */
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
		this.#over.resolve();
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
			// Synchronously after the last check of `#again`: later wakes start a new turn.
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
			// The status of a pod that has released everything is its last one; then what waits for it continues.
			if (state.runtimeState.released && !state.runtimeState.statusWritten) {
				managed.runtimeState.markStatusWritten();
				this.#over.resolve();
				this.wake();
			}
			return;
		}
		managed.setStatus(status);
		const delayMs = isUneventful(status) ? uneventfulDelayMs : isReplacing(state) ? replacementDelayMs : 0;
		this.#writer.write(state.pod, status, delayMs);
	}

	/** Reads the termination messages of exited containers, before their status is reported. */
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

function deferred(): { promise: Promise<void>; resolve(): void } {
	let resolve = () => {};
	const promise = new Promise<void>((fulfil) => {
		resolve = fulfil;
	});
	return { promise, resolve };
}

/** Names of containers whose image has changed. */
function changedImages(before: Pod, now: Pod): string[] {
	const images = new Map(podContainers(before).map(({ spec }) => [spec.name, spec.image]));
	return podContainers(now).flatMap(({ spec }) => (images.get(spec.name) === spec.image ? [] : [spec.name]));
}

/**
 * The API server keeps the objects that a status write does not change; over the network, identity cannot be compared.
 */
function sameTask(before: Pod, now: Pod): boolean {
	return before.spec === now.spec && before.metadata.deletionTimestamp === now.metadata.deletionTimestamp;
}

/** Whether the status only says that containers are being created. */
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

/** Whether a container that the node stopped itself is about to run again. */
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

/** Whether changes of the pod may change the contents of its volumes and files. */
function showsOther(before: Pod, now: Pod): boolean {
	return (
		!semanticEqual(before.metadata.labels, now.metadata.labels) ||
		!semanticEqual(before.metadata.annotations, now.metadata.annotations) ||
		before.metadata.generation !== now.metadata.generation
	);
}
