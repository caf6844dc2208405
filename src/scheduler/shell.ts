/** The scheduler at work: keeps the snapshot, takes pods from the queue, plans, binds. */
import type { Client } from "../client/client.ts";
import type { Mirror } from "../client/mirror.ts";
import type { Clock } from "../core/clock.ts";
import { isReason } from "../core/errors.ts";
import type { KubeObject } from "../core/object.ts";
import { pods } from "../kinds/pod.ts";
import { schedulingFailure } from "./condition.ts";
import { type ClusterChange, followCluster } from "./follow.ts";
import { planPod, type Unschedulable } from "./plan.ts";
import type { PodInfo } from "./pod-info.ts";
import { SchedulingQueue } from "./queue.ts";
import { Snapshot } from "./snapshot.ts";

/** Records an Event about an object, best effort. */
export type RecordEvent = (
	regarding: KubeObject,
	event: { type: "Normal" | "Warning"; reason: string; message: string },
) => void;

export interface SchedulerOptions {
	client: Client;
	mirror: Mirror;
	clock: Clock;
	recordEvent: RecordEvent;
	/** Pods whose spec.schedulerName is this are its own. */
	schedulerName?: string;
}

export interface Scheduler {
	/** Ends planning, and resolves when the bindings under way are done. */
	stop(): Promise<void>;
}

/** Bindings that may be under way at the same time; planning goes on meanwhile, on what they will have done. */
const parallelBindings = 64;

/** Starts to watch and to schedule. The mirror may be shared with controllers. */
export function startScheduler(options: SchedulerOptions): Scheduler {
	return new SchedulerShell(options);
}

class SchedulerShell implements Scheduler {
	readonly #client: Client;
	readonly #clock: Clock;
	readonly #recordEvent: RecordEvent;
	readonly #queue: SchedulingQueue;
	readonly #snapshot: Snapshot;
	readonly #cursor = { nextNode: 0 };
	/** Keys of pods placed in the snapshot whose binding the mirror has not shown yet, with the pod's uid. */
	readonly #assumed = new Map<string, string>();
	readonly #underWay = new Set<Promise<void>>();
	#running = false;
	#synced = false;
	#stopped = false;

	constructor(options: SchedulerOptions) {
		this.#client = options.client;
		this.#clock = options.clock;
		this.#recordEvent = options.recordEvent;
		this.#queue = new SchedulingQueue(options.clock, () => this.#run());
		this.#snapshot = new Snapshot();
		followCluster(options.mirror, options.schedulerName ?? "default-scheduler", (change) => this.#see(change));
		// Before everything has been listed, nodes would look emptier than they are.
		void options.mirror.synced().then(
			() => {
				this.#synced = true;
				this.#run();
			},
			() => undefined,
		);
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		this.#queue.close();
		await Promise.allSettled(this.#underWay);
	}

	#see(change: ClusterChange): void {
		switch (change.type) {
			case "placed":
				this.#assumed.delete(change.pod.key);
				this.#queue.remove(change.pod.key);
				this.#snapshot.place(change.pod, change.nodeName);
				break;
			case "pending":
				// What the mirror shows of a pod being bound is older than the decision.
				if (this.#assumed.get(change.pod.key) === change.pod.uid) break;
				if (change.changed) this.#queue.add(change.pod);
				else this.#queue.refresh(change.pod);
				break;
			case "gone":
				this.#assumed.delete(change.key);
				this.#queue.remove(change.key);
				this.#snapshot.remove(change.key);
				break;
			case "node":
				this.#snapshot.setNode(change.node);
				break;
			case "nodeGone":
				this.#snapshot.removeNode(change.name);
				break;
			case "namespace":
				this.#snapshot.setNamespace(change.name, change.namespace);
				break;
			case "other":
				break;
		}
		for (const event of change.wakes) this.#queue.wake(event);
	}

	/** Takes pods from the queue until it is empty or enough bindings are under way. */
	#run(): void {
		if (this.#running || !this.#synced || this.#stopped) return;
		this.#running = true;
		// In a turn of its own: the change that made a pod ready may be one of many.
		queueMicrotask(() => {
			this.#running = false;
			while (!this.#stopped && this.#underWay.size < parallelBindings) {
				const pod = this.#queue.pop();
				if (pod === undefined) return;
				const work = this.#schedule(pod).finally(() => {
					this.#underWay.delete(work);
					this.#run();
				});
				this.#underWay.add(work);
			}
		});
	}

	/** Never rejects. */
	async #schedule(pod: PodInfo): Promise<void> {
		const decision = planPod(pod, this.#snapshot, { random: this.#clock.random, cursor: this.#cursor });
		if ("unschedulable" in decision) await this.#refuse(pod, decision.unschedulable);
		else await this.#bind(pod, decision.nodeName);
	}

	async #bind(pod: PodInfo, nodeName: string): Promise<void> {
		const { name, namespace } = pod.pod.metadata;
		this.#snapshot.place(pod, nodeName);
		this.#assumed.set(pod.key, pod.uid);
		try {
			await this.#client.createSubresource(pods, { name, namespace }, "binding", {
				apiVersion: "v1",
				kind: "Binding",
				metadata: { name, namespace, uid: pod.uid },
				target: { apiVersion: "v1", kind: "Node", name: nodeName },
			});
		} catch (error) {
			await this.#unbind(pod, error);
			return;
		}
		this.#queue.remove(pod.key);
		const message = `Successfully assigned ${pod.key} to ${nodeName}`;
		this.#recordEvent(pod.pod, { type: "Normal", reason: "Scheduled", message });
	}

	/** The binding failed, or its answer was lost: the mirror says which, sooner or later. */
	async #unbind(pod: PodInfo, error: unknown): Promise<void> {
		// Seen as bound, or as gone, in the meantime.
		if (this.#assumed.get(pod.key) !== pod.uid) return;
		this.#assumed.delete(pod.key);
		this.#snapshot.remove(pod.key);
		if (isReason(error, "NotFound")) {
			this.#queue.remove(pod.key);
			return;
		}
		const message = `binding rejected: ${error instanceof Error ? error.message : String(error)}`;
		this.#recordEvent(pod.pod, { type: "Warning", reason: "FailedScheduling", message });
		this.#queue.failed(pod.key);
		this.#queue.wake("podGone");
	}

	async #refuse(pod: PodInfo, why: Unschedulable): Promise<void> {
		this.#queue.refused(pod.key, why.wakesOn);
		this.#recordEvent(pod.pod, { type: "Warning", reason: "FailedScheduling", message: why.message });
		const status = schedulingFailure(pod.pod, "Unschedulable", why.message, this.#clock.now());
		if (status === undefined) return;
		const { name, namespace } = pod.pod.metadata;
		try {
			await this.#client.patch(pods, { name, namespace }, { type: "strategic", patch: { status } }, "status");
		} catch {
			// The condition is for people to read; the next failure writes it again.
		}
	}
}
