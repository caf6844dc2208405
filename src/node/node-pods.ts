/** The pods of one node: a worker for each, admission, and the order in which pods wait for resources. */
import type { Pod } from "../kinds/generated/types.ts";
import { isFinalPhase } from "../kinds/pod/pod-lifecycle.ts";
import type { NodeContext } from "./context/node-context.ts";
import type { Heartbeat } from "./machine/heartbeat.ts";
import { noPressure, type Pressure } from "./machine/pressure.ts";
import { admissionVerdict, lacks } from "./pod/admission.ts";
import type { Verdict } from "./pod/pod-state.ts";
import { compareWaiting } from "./pod/resize.ts";
import { shutdownRefusal } from "./shutdown/shutdown.ts";
import type { StorageMonitor } from "./storage/storage-monitor.ts";
import { orphanPod } from "./sync/orphan-pod.ts";
import { PodWorker } from "./sync/pod-worker.ts";

/** Available only after the agent has started. */
export interface StartedNode {
	heartbeat: Pick<Heartbeat, "node" | "refresh">;
	storage: Pick<StorageMonitor, "added"> | undefined;
	/** What the node is short of now. */
	pressure(): Pressure;
	/** Addresses of pods before the agent restarted, by UID. */
	addressesBefore: ReadonlyMap<string, { addresses: readonly string[] }>;
}

export class NodePods {
	readonly #context: NodeContext;
	/** Names and patterns of kernel parameters that pods may set. */
	readonly #sysctls: readonly string[];
	readonly #workers = new Map<string, PodWorker>();
	#started: StartedNode | undefined;
	#shuttingDown = false;

	constructor(context: NodeContext, sysctls: readonly string[]) {
		this.#context = context;
		this.#sysctls = sysctls;
	}

	/** Called before the first pod is reported. */
	begin(started: StartedNode): void {
		this.#started = started;
	}

	*[Symbol.iterator](): Iterator<Pod> {
		for (const worker of this.#workers.values()) yield worker.pod;
	}

	workers(): Iterable<PodWorker> {
		return this.#workers.values();
	}

	/** The pod's sandboxes or containers may have changed. */
	wake(uid: string): void {
		this.#workers.get(uid)?.wake();
	}

	/** The pod source reports a pod; `current` is undefined if the pod no longer exists on the node. */
	changed(current: Pod | undefined, last: Pod): void {
		const worker = this.#workers.get(last.metadata.uid);
		const generation = worker?.pod.metadata.generation;
		if (current === undefined) worker?.vanish(last);
		else if (worker !== undefined) worker.update(current);
		else this.#add(current);
		const { phase } = (current ?? last).status ?? {};
		const isOver = current === undefined || isFinalPhase(phase);
		const asksElse = worker !== undefined && worker.pod.metadata.generation !== generation;
		if (isOver || asksElse) this.retryResizes();
	}

	/** Retries pods that wait for resources, in their order: the resources that one releases another may use. */
	retryResizes(): void {
		const waiting = [...this.#workers.values()].filter(({ waitsSinceMs }) => waitsSinceMs !== undefined);
		const sinceMs = new Map(waiting.map((worker) => [worker, worker.waitsSinceMs ?? 0]));
		waiting.sort((a, b) => compareWaiting(a.pod, b.pod) || (sinceMs.get(a) ?? 0) - (sinceMs.get(b) ?? 0));
		for (let again = true; again; ) {
			again = false;
			for (const worker of waiting) if (worker.retryResize()) again = true;
		}
	}

	/** The resources that the pod's specification requests and the node cannot provide, as text; undefined if it fits. */
	shortage(pod: Pod): string | undefined {
		return lacks(pod, this.#admission())?.message.replace(/^Pod was rejected: /, "");
	}

	/** Stops and removes the sandboxes and containers of pods that do not exist in the API. */
	endOrphans(): void {
		const { view, node } = this.#context;
		for (const uid of view.podUids()) {
			if (this.#workers.has(uid)) continue;
			this.#add(orphanPod(uid, view.of(uid), node.name)).vanish();
		}
	}

	/** Releases all pods; their containers continue to run. */
	close(): void {
		for (const worker of this.#workers.values()) worker.close();
		this.#workers.clear();
	}

	#add(pod: Pod): PodWorker {
		const { uid } = pod.metadata;
		const worker = new PodWorker(this.#context, pod, () => this.#workers.delete(uid));
		const before = this.#started?.addressesBefore.get(uid);
		if (before !== undefined) worker.adoptAddresses(before.addresses);
		if (pod.spec.hostNetwork === true) worker.adoptAddresses(this.#context.node.addresses);
		const admitted = !this.#isNew(pod) || this.#verdict(pod) === undefined;
		this.#workers.set(uid, worker);
		this.#started?.storage?.added(pod);
		if (admitted) worker.wake();
		else void this.#lookAgain(worker);
		return worker;
	}

	/**
	 * Admission is repeated with the current Node before a pod is rejected: the scheduler may have seen a label before
	 * the agent.
	 */
	async #lookAgain(worker: PodWorker): Promise<void> {
		// If the Node cannot be read, the last version counts.
		await this.#started?.heartbeat.refresh().catch(() => {});
		const verdict = this.#verdict(worker.pod);
		if (verdict === undefined) worker.wake();
		else worker.end(verdict);
	}

	/** Running pods are not rejected afterwards. */
	#isNew(pod: Pod): boolean {
		const { sandboxes } = this.#context.view.of(pod.metadata.uid);
		return (
			sandboxes.length === 0 &&
			pod.metadata.deletionTimestamp === undefined &&
			(pod.status?.phase ?? "Pending") === "Pending"
		);
	}

	/** The node is being shut down: from now on no pod is admitted. */
	refuseAll(): void {
		this.#shuttingDown = true;
	}

	#verdict(pod: Pod): Verdict | undefined {
		if (this.#shuttingDown) return shutdownRefusal;
		return admissionVerdict(pod, this.#admission());
	}

	#admission() {
		const others: Pod[] = [];
		for (const worker of this.#workers.values()) if (worker.active) others.push(worker.allocated());
		const node = this.#started?.heartbeat.node;
		const pressure = this.#started?.pressure() ?? noPressure;
		return { node, sysctls: this.#sysctls, allocatable: this.#context.node.allocatable, others, pressure };
	}
}
