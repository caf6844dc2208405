/** The scheduler's shell: maintains the snapshot, takes pods from the queue, plans, binds. */
import type { Client } from "../client/client.ts";
import type { InformerCache } from "../client/informer-cache.ts";
import { isReason } from "../core/errors.ts";
import { MetricRegistry } from "../core/metrics/registry.ts";
import type { Clock } from "../core/time/clock.ts";
import { pods } from "../kinds/pod/pod.ts";
import { Claims } from "./claims.ts";
import { KnownDevices } from "./devices/known-devices.ts";
import { Reservations } from "./devices/reservations.ts";
import { type ClusterChange, followCluster, isGated } from "./follow.ts";
import { cachedBudgets, cachedVolumes, cachedWorkloads } from "./lookups.ts";
import { SchedulerMetrics } from "./metrics.ts";
import type { PodInfo } from "./model/pod-info.ts";
import { Snapshot } from "./model/snapshot.ts";
import { Nominations } from "./nominations.ts";
import { mayGain, planPod, type Unschedulable } from "./plan.ts";
import { type Budget, planPreemption } from "./preemption.ts";
import { SchedulingQueue } from "./queue.ts";
import { Room } from "./room.ts";
import { type RecordEvent, Writes } from "./writes.ts";

export type { RecordEvent } from "./writes.ts";

export interface SchedulerOptions {
	client: Client;
	informers: InformerCache;
	clock: Clock;
	recordEvent: RecordEvent;
	/** It schedules pods with this spec.schedulerName. */
	schedulerName?: string;
	/** For the scheduler's metrics. */
	metrics?: MetricRegistry;
}

export interface Scheduler {
	/** Stops planning, and resolves when the bindings in progress are complete. */
	stop(): Promise<void>;
}

/** The maximum number of concurrent requests; planning continues on the assumption that they succeed. */
const parallelRequests = 64;

/** Starts to watch and to schedule. The informer cache may be shared with controllers. */
export function startScheduler(options: SchedulerOptions): Scheduler {
	return new SchedulerShell(options);
}

class SchedulerShell implements Scheduler {
	readonly #clock: Clock;
	readonly #writes: Writes;
	readonly #metrics: SchedulerMetrics;
	readonly #queue: SchedulingQueue;
	readonly #snapshot: Snapshot;
	readonly #claims: Claims;
	readonly #reservations: Reservations;
	readonly #nominations = new Nominations();
	readonly #budgets: (namespace: string) => Budget[];
	readonly #cursor = { nextNode: 0 };
	/** Keys of pods placed in the snapshot whose binding the informer cache has not shown yet, with the pod's uid. */
	readonly #assumed = new Map<string, string>();
	readonly #room: Room;
	readonly #underWay = new Set<Promise<void>>();
	/** The number of bindings in progress that wait for requests; others wait for volumes, which may take long. */
	#requests = 0;
	#running = false;
	#synced = false;
	#stopped = false;
	readonly #unfollow: () => void;

	constructor(options: SchedulerOptions) {
		const { client, informers, clock, recordEvent, schedulerName = "default-scheduler" } = options;
		this.#clock = clock;
		this.#metrics = new SchedulerMetrics(options.metrics ?? new MetricRegistry(), clock, schedulerName, () => ({
			...this.#queue.pending(),
			gated: [...informers.of(pods).list()].filter(isGated).length,
		}));
		this.#writes = new Writes(client, clock, recordEvent, schedulerName);
		this.#queue = new SchedulingQueue(clock, () => this.#run());
		const storage = cachedVolumes(informers, () => {
			this.#queue.wake("storage");
			this.#claims.changed();
		});
		const workloads = cachedWorkloads(informers);
		const devices = new KnownDevices(informers);
		this.#snapshot = new Snapshot({ volumes: storage.volumes, workloads, devices });
		this.#room = new Room(this.#queue, this.#snapshot);
		this.#reservations = new Reservations(client, clock, devices);
		this.#claims = new Claims(client, clock, this.#snapshot);
		this.#budgets = cachedBudgets(informers);
		storage.follow();
		this.#reservations.follow(() => this.#queue.wake("devices"));
		const unfollow = followCluster(informers, schedulerName, (change) => this.#see(change));
		this.#unfollow = () => {
			unfollow();
			storage.unfollow();
		};
		// Before everything has been listed, nodes would seem to have more room than they have.
		void informers.synced().then(
			() => {
				this.#synced = true;
				this.#run();
			},
			() => undefined,
		);
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		this.#unfollow();
		this.#queue.close();
		this.#claims.close();
		this.#reservations.close();
		await Promise.allSettled(this.#underWay);
	}

	#see(change: ClusterChange): void {
		switch (change.type) {
			case "placed":
				this.#assumed.delete(change.pod.key);
				this.#queue.remove(change.pod.key);
				this.#nominations.remove(change.pod.key);
				this.#snapshot.place(change.pod, change.nodeName);
				this.#room.filled(change.pod.key);
				if (change.smaller) this.#room.isOn(change.nodeName);
				break;
			case "pending":
				// The informer cache's version of a pod that is being bound is older than the decision.
				if (this.#assumed.get(change.pod.key) === change.pod.uid) break;
				this.#nominations.seen(change.pod);
				if (change.changed) this.#queue.add(change.pod);
				else this.#queue.refresh(change.pod);
				break;
			case "gone": {
				const node = this.#snapshot.placed(change.key)?.node.name;
				this.#claims.cancel(change.key);
				this.#reservations.cancel(change.key);
				this.#assumed.delete(change.key);
				this.#queue.remove(change.key);
				this.#nominations.remove(change.key);
				this.#snapshot.remove(change.key);
				this.#room.filled(change.key);
				if (node !== undefined) this.#room.isOn(node);
				break;
			}
			case "node":
				this.#snapshot.setNode(change.node);
				break;
			case "nodeGone":
				this.#snapshot.removeNode(change.name);
				break;
			case "namespace":
				this.#snapshot.setNamespace(change.name, change.namespace);
				break;
		}
		for (const event of change.wakes) {
			// A changed node requeues only the pods that could run on it now: a failed attempt would only increase their
			// backoff.
			if (change.type === "node")
				this.#queue.wake(event, (pod) => mayGain(pod, change.node.metadata.name, this.#snapshot));
			else this.#queue.wake(event);
		}
	}

	/** Takes pods from the queue until it is empty or enough requests are in progress. */
	#run(): void {
		if (this.#running || !this.#synced || this.#stopped) return;
		this.#running = true;
		// In a separate microtask: the change that made a pod ready may be one of many.
		queueMicrotask(() => {
			this.#running = false;
			while (!this.#stopped && this.#requests < parallelRequests) {
				const pod = this.#queue.pop();
				if (pod === undefined) return;
				this.#requests++;
				const work = this.#schedule(pod).finally(() => {
					this.#requests--;
					this.#underWay.delete(work);
					this.#run();
				});
				this.#underWay.add(work);
			}
		});
	}

	/** Never rejects. */
	async #schedule(pod: PodInfo): Promise<void> {
		const begunMs = this.#metrics.begin();
		const nominatedNode = this.#nominations.nodeOf(pod.key);
		const decision = this.#nominations.holding(pod, this.#snapshot, () =>
			planPod(pod, this.#snapshot, {
				random: this.#clock.random,
				cursor: this.#cursor,
				...(nominatedNode === undefined ? {} : { nominatedNode }),
			}),
		);
		this.#metrics.chosen(begunMs);
		if ("unschedulable" in decision) {
			this.#metrics.attempted("unschedulable", begunMs);
			this.#room.refused(pod.key);
			await this.#refuse(pod, decision.unschedulable, nominatedNode);
			return;
		}
		const bound = this.#bind(pod, decision.nodeName, begunMs);
		this.#room.filled(pod.key);
		await bound;
	}

	async #bind(pod: PodInfo, nodeName: string, begunMs: number): Promise<void> {
		const tries = this.#queue.tries(pod.key);
		this.#snapshot.place(pod, nodeName);
		this.#assumed.set(pod.key, pod.uid);
		let reservations: ReturnType<Reservations["take"]> = [];
		try {
			reservations = this.#reservations.take(pod, this.#snapshot.node(nodeName)?.node);
			if (this.#claims.pending(pod)) await this.#bindClaims(pod, nodeName);
			await this.#claims.confirm(pod, nodeName);
			await this.#reservations.write(pod, reservations, (ready) => this.#aside(ready));
			await this.#writes.bind(pod, nodeName);
		} catch (error) {
			this.#metrics.attempted("error", begunMs);
			this.#unbind(pod, nodeName, error);
			await this.#reservations.undo(pod, reservations);
			return;
		}
		this.#metrics.attempted("scheduled", begunMs);
		if (tries !== undefined) this.#metrics.bound(tries);
		this.#queue.remove(pod.key);
		this.#nominations.remove(pod.key);
	}

	async #bindClaims(pod: PodInfo, nodeName: string): Promise<void> {
		if (await this.#aside(this.#claims.bind(pod, nodeName))) return;
		throw new Error("binding volumes: the claims of the pod were not bound");
	}

	/** Other pods continue while this pod's volumes and devices are made ready. */
	async #aside<T>(work: Promise<T>): Promise<T> {
		this.#requests--;
		this.#run();
		try {
			return await work;
		} finally {
			this.#requests++;
		}
	}

	/** The binding failed, or its response was lost: the informer cache will show which. */
	#unbind(pod: PodInfo, nodeName: string, error: unknown): void {
		// Observed as bound or deleted in the meantime.
		if (this.#assumed.get(pod.key) !== pod.uid) return;
		this.#assumed.delete(pod.key);
		this.#snapshot.remove(pod.key);
		if (this.#stopped) return;
		if (isReason(error, "NotFound")) {
			this.#queue.remove(pod.key);
		} else {
			this.#writes.bindingFailed(pod, error);
			this.#queue.failed(pod.key);
		}
		this.#room.isOn(nodeName);
	}

	async #refuse(pod: PodInfo, why: Unschedulable, nominatedNode: string | undefined): Promise<void> {
		// There is no node to make room on.
		const preemption =
			why.nodeCount === 0
				? undefined
				: this.#nominations.holding(pod, this.#snapshot, () =>
						planPreemption(pod, this.#snapshot, why, {
							budgets: this.#budgets,
							...(nominatedNode === undefined ? {} : { nominatedNode }),
						}),
					);
		// Added to the queue before anything is written, because it may wait for the effect of these writes.
		this.#queue.refused(pod.key, why.wakesOn);
		if (preemption === undefined || "message" in preemption) {
			const relief = preemption && this.#reservations.relieve(pod, this.#snapshot.nodes);
			const message =
				preemption === undefined ? why.message : `${why.message} ${relief}preemption: ${preemption.message}`;
			const waitsForVictims = preemption?.message.includes("terminating pod") === true;
			const forget = nominatedNode !== undefined && !waitsForVictims;
			if (forget) this.#nominations.remove(pod.key);
			// A nomination that was not written, or was overwritten, is written again.
			const isUnwritten = waitsForVictims && pod.pod.status?.nominatedNodeName !== nominatedNode;
			const nomination = forget ? "" : isUnwritten ? nominatedNode : undefined;
			await this.#writes.refused(pod, message, nomination === undefined ? {} : { nominatedNode: nomination });
			return;
		}
		const { nodeName, victims } = preemption;
		this.#metrics.preempts(victims.length);
		const outdated = this.#nominations.add(pod, nodeName);
		await this.#writes.refused(pod, why.message, { nominatedNode: nodeName });
		await Promise.all(outdated.map((other) => this.#writes.forgetNomination(other)));
		// A pod that only waits for volumes or devices is not on the node yet: it returns to the queue instead of being deleted.
		const there = victims.filter(({ key }) => !this.#claims.cancel(key) && !this.#reservations.cancel(key));
		const done = await Promise.all(there.map((victim) => this.#writes.preempt(victim, pod, nodeName)));
		if (done.includes(false) || there.length < victims.length) this.#queue.wake("podGone");
	}
}
