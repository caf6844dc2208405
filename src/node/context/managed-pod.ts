/** One pod of the node: the API's version of it, its runtime state, and the operations in progress. */
import type { Pod, PodStatus } from "../../kinds/generated/types.ts";
import { fieldPath, type PodState } from "../pod/pod-state.ts";
import type { NodeContext } from "./node-context.ts";
import { MutablePodRuntimeState } from "./pod-runtime-state.ts";

/** Drives the pod: see sync/pod-worker.ts. */
export interface PodDriver {
	/** Something has changed: examines the pod and plans again. */
	wake(): void;
	/** Nothing of the pod remains on the node. */
	removed(): void;
}

/**
 * The pod's worker, the executors of its actions and its probes share this object, which holds all state of the pod.
 */
export class ManagedPod {
	readonly context: NodeContext;
	readonly runtimeState: MutablePodRuntimeState;
	readonly #driver: PodDriver;
	#pod: Pod;
	#gone = false;
	#status: PodStatus | undefined;
	/** Created for the first wait: most pods never need it. */
	#abort: AbortController | undefined;
	/** Of what is done only to start containers. */
	#starts: AbortController | undefined;
	#closed = false;
	/** Aborts lifecycle hooks in progress, by key. Most pods have none. */
	#hooks: Map<string, AbortController> | undefined;
	/** IDs of existing containers whose termination was reported to the log keeper. */
	#ended: ReadonlySet<string> = noIds;

	constructor(context: NodeContext, pod: Pod, driver: PodDriver) {
		this.context = context;
		this.#pod = pod;
		this.#driver = driver;
		this.#status = pod.status?.containerStatuses === undefined ? undefined : pod.status;
		this.runtimeState = new MutablePodRuntimeState(context.clock.now(), context.files === undefined);
	}

	/** The API's version. For a pod that no longer exists, the last version. */
	get pod(): Pod {
		return this.#pod;
	}

	get uid(): string {
		return this.#pod.metadata.uid;
	}

	/** The pod no longer exists in the API. */
	get gone(): boolean {
		return this.#gone;
	}

	/** The status computed last; undefined before the first. */
	get status(): PodStatus | undefined {
		return this.#status;
	}

	get closed(): boolean {
		return this.#closed;
	}

	/** The current input for plans and statuses. */
	state(): PodState {
		const { sandboxes, containers } = this.context.view.of(this.uid);
		return {
			pod: this.#pod,
			gone: this.#gone,
			sandboxes,
			containers,
			runtimeState: this.runtimeState,
			node: this.context.node,
			previous: this.#status,
		};
	}

	update(pod: Pod): void {
		this.#pod = pod;
		if (pod.metadata.deletionTimestamp !== undefined) this.endStarts();
	}

	vanish(last: Pod): void {
		this.#pod = last;
		this.#gone = true;
		this.endStarts();
	}

	setStatus(status: PodStatus | undefined): void {
		this.#status = status;
	}

	wake(): void {
		this.#driver.wake();
	}

	removed(): void {
		this.#driver.removed();
	}

	/** An Event of the pod, or of one of its containers. */
	record(type: "Normal" | "Warning", reason: string, message: string, container?: string): void {
		const path = container === undefined ? undefined : fieldPath(this.#pod, container);
		this.context.events.record(this.#pod, type, reason, message, path);
	}

	/** Reports containers that terminated since the last call to the log keeper and the metrics. */
	tellEnded(): void {
		const { endedLogs, metrics, view } = this.context;
		if (endedLogs === undefined && metrics === undefined) return;
		const exited = view.of(this.uid).containers.filter(({ state }) => state === "exited");
		if (exited.length === 0) return;
		for (const container of exited) {
			if (this.#ended.has(container.id)) continue;
			endedLogs?.ended(this.#pod, container);
			metrics?.ended(this.#pod, container);
		}
		this.#ended = new Set(exited.map(({ id }) => id));
	}

	/** Aborted when the agent releases the pod. */
	get signal(): AbortSignal {
		if (this.#abort === undefined) {
			this.#abort = new AbortController();
			if (this.#closed) this.#abort.abort(letGo());
		}
		return this.#abort.signal;
	}

	/** Also aborted when the pod is to end: for work that only starts its containers. */
	get startSignal(): AbortSignal {
		this.#starts ??= new AbortController();
		return this.#starts.signal;
	}

	/** The pod is to end: nothing more is started. */
	endStarts(): void {
		this.#starts?.abort(letGo());
	}

	/** A lifecycle hook begins. Stopping the container may abort it. */
	hookBegins(key: string): AbortController {
		const hook = new AbortController();
		this.#hooks ??= new Map();
		this.#hooks.set(key, hook);
		return hook;
	}

	abortHook(key: string): void {
		this.#hooks?.get(key)?.abort();
	}

	hookEnded(key: string): void {
		this.#hooks?.delete(key);
	}

	/** Releases the pod; its containers continue to run. */
	close(): void {
		this.#closed = true;
		this.#abort?.abort(letGo());
		this.endStarts();
	}
}

const noIds: ReadonlySet<string> = new Set();

function letGo(): Error {
	return new Error("the agent lets go of the pod");
}
