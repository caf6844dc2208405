/** Sends notifications about workloads: assembles the components. No other component waits for it. */
import type { Client } from "../client/client.ts";
import type { EventRecorder } from "../client/events/recorder.ts";
import type { InformerCache } from "../client/informer-cache.ts";
import type { KubeObject } from "../core/object.ts";
import { type Clock, type Timer, timestamp } from "../core/time/clock.ts";
import { jobs } from "../kinds/batch/job.ts";
import { namespaces } from "../kinds/core/namespace.ts";
import type { Kind } from "../kinds/engine/kind.ts";
import { runs } from "../kinds/history/run.ts";
import { testAnnotation } from "../kinds/notify/annotations.ts";
import { notificationPolicies } from "../kinds/notify/notificationpolicy.ts";
import type { NotificationPolicy } from "../kinds/notify/types.ts";
import type { Store } from "../store/store.ts";
import { Courier } from "./delivery/courier.ts";
import { Delivery, type Result } from "./delivery/delivery.ts";
import { Destinations } from "./delivery/destinations.ts";
import { Ledger, notificationComponent } from "./ledger.ts";
import { annotatedKinds, firstCursor } from "./need.ts";
import type { JournalParts } from "./outbox/journal.ts";
import { type Cursor, loadOutbox, noteCursor } from "./outbox/outbox.ts";
import { type Policy, policyOf, type Sink } from "./policies/policy.ts";
import { PolicyIndex } from "./policy-index.ts";
import { type Notification, notificationId } from "./sinks/notification.ts";
import type { SendRequest } from "./sinks/request.ts";
import { Watcher, workloadKinds } from "./watcher.ts";

export interface NotifierParts {
	store: Store;
	clock: Clock;
	/** Authenticates as the notification controller. */
	client: Client;
	recorder: EventRecorder;
	/** Networks and hosts, see `NotifyOptions`. */
	allow: readonly string[];
	/** Whether public addresses may be reached without being allowed explicitly. */
	isPublicOpen: boolean;
	send?: SendRequest | undefined;
	onError?(error: unknown): void;
}

const retryMs = 1000;
/** The delay before a problem of a policy is checked again; it increases. */
const firstCheckMs = 5000;
const longestCheckMs = 60_000;

export class Notifier {
	readonly #parts: NotifierParts;
	readonly #policies = new PolicyIndex();
	readonly #courier: Courier;
	readonly #stopping = new AbortController();
	readonly #checks = new Map<string, Timer>();
	readonly #tests = new Map<string, string>();
	/** UIDs of policies with a test in progress. */
	readonly #testing = new Set<string>();
	readonly #ends: (() => void)[] = [];
	#informers: InformerCache | undefined;
	#watcher: Watcher | undefined;
	#delivery: Delivery | undefined;
	#ledger: Ledger | undefined;

	/** @throws Error that names the invalid entry of the allowed destinations */
	constructor(parts: NotifierParts) {
		this.#parts = parts;
		const destinations = new Destinations(parts.allow, parts.isPublicOpen);
		this.#courier = new Courier({ client: parts.client, clock: parts.clock, destinations, send: parts.send });
	}

	/** Resolves when it watches, which begins when a policy or annotation exists; waiting for it is optional. */
	async start(informers: InformerCache): Promise<void> {
		this.#informers = informers;
		const { store, clock } = this.#parts;
		const { signal } = this.#stopping;
		/** The first note, if the store has none. */
		let first: Cursor | undefined;
		for (;;) {
			try {
				const kinds = [notificationPolicies, namespaces, ...annotatedKinds] as readonly Kind[];
				await Promise.all(kinds.map((kind) => informers.of(kind).reached(0, signal)));
				const stored = await loadOutbox(store);
				if (stored.cursor === undefined) {
					first ??= await firstCursor(informers, clock, signal);
					await noteCursor(store, first);
					stored.cursor = first;
				}
				await informers.of(runs).reached(0, signal);
				if (signal.aborted) return;
				this.#begin(informers, { ...stored, cursor: stored.cursor });
				return;
			} catch (error) {
				if (signal.aborted) return;
				this.#parts.onError?.(error);
				await clock.sleep(retryMs, signal).catch(() => {});
			}
		}
	}

	async stop(): Promise<void> {
		this.#stopping.abort(new Error("the notifier stops"));
		for (const end of this.#ends) end();
		for (const timer of this.#checks.values()) timer.cancel();
		// Stop each of them, even if others fail: one that continues without its informer cache would consider all policies
		// deleted.
		for (const part of [this.#watcher, this.#delivery, this.#ledger]) {
			try {
				await part?.stop();
			} catch (error) {
				this.#parts.onError?.(error);
			}
		}
		this.#courier.close();
	}

	#begin(informers: InformerCache, stored: JournalParts["stored"]): void {
		const { store, clock, client, recorder, onError } = this.#parts;
		const policies = this.#policies;
		const informer = informers.of(notificationPolicies);
		for (const policy of informer.list()) policies.change(policy, undefined);
		const delivery = new Delivery({
			store,
			clock,
			target: (queue) =>
				(informers.of(namespaces).get(undefined, queue.namespace) && policies.target(queue)) || undefined,
			deliver: (policy, sink, notification) => this.#courier.deliver(policy, sink, notification),
			awaitsLog: (notification) => this.#awaitsLog(notification),
			onOutcome: (policy, sink, notification, result) => this.#outcome(policy, sink, notification, result),
			onFolded: ({ object }, _, count) => object && this.#ledger?.summarized(object, count),
			...(onError && { onError }),
		});
		this.#delivery = delivery;
		this.#ledger = new Ledger({
			client,
			clock,
			recorder,
			policy: (namespace, name) => informer.get(namespace, name),
			pending: ({ metadata }, sink) =>
				delivery.pending({ namespace: metadata.namespace ?? "", policy: metadata.uid, sink }),
			...(onError && { onError }),
		});
		this.#watcher = new Watcher({
			store,
			clock,
			informers,
			policies,
			stored,
			onEntry: (queue, entry) => delivery.add(queue, entry),
			...(onError && { onError }),
		});
		for (const { queue, digest } of stored.digests) delivery.addDigest(queue, digest);
		for (const { queue, entry } of stored.entries) delivery.add(queue, entry);
		this.#watcher.start();
		this.#ends.push(
			informer.onChange((current, old) => this.#policyChanged(current, old)),
			informers.of(namespaces).onChange((current, old) => {
				if (current === undefined && old !== undefined) delivery.namespaceGone(old.metadata.name);
			}),
		);
	}

	#policyChanged(current: NotificationPolicy | undefined, old: NotificationPolicy | undefined): void {
		this.#policies.change(current, old);
		if (old !== undefined && old.metadata.uid !== current?.metadata.uid) {
			this.#checks.get(old.metadata.uid)?.cancel();
			this.#checks.delete(old.metadata.uid);
			this.#tests.delete(old.metadata.uid);
			this.#ledger?.forget(old.metadata.uid);
			this.#delivery?.policyChanged(old.metadata.namespace ?? "", old.metadata.uid);
		}
		if (current === undefined) return;
		const { uid, namespace = "", generation } = current.metadata;
		if (old?.metadata.uid !== uid || old.metadata.generation !== generation) {
			this.#watcher?.policyChanged(policyOf(current));
			this.#delivery?.policyChanged(namespace, uid);
			this.#check(current, firstCheckMs);
		}
		this.#testWhereAsked(current);
	}

	/** Checks whether the policy can work; repeats this while it cannot, because Secrets may be created later. */
	#check(policy: NotificationPolicy, againMs: number, before = 0): void {
		const { uid, namespace = "", name } = policy.metadata;
		this.#checks.get(uid)?.cancel();
		this.#checks.delete(uid);
		this.#courier
			.problemsOf(policyOf(policy))
			.then((problems) => {
				const newest = this.#informers?.of(notificationPolicies).get(namespace, name);
				if (newest?.metadata.uid !== uid || newest.metadata.generation !== policy.metadata.generation) return;
				this.#ledger?.checked(policy, problems);
				if (problems.length < before) this.#delivery?.policyChanged(namespace, uid);
				if (problems.length === 0 || this.#stopping.signal.aborted) return;
				const later = () => this.#check(policy, Math.min(againMs * 2, longestCheckMs), problems.length);
				this.#checks.set(uid, this.#parts.clock.after(againMs, later));
			})
			.catch((error: unknown) => this.#parts.onError?.(error));
	}

	/** For `cox notify test`, or any client that sets the annotation. */
	#testWhereAsked(object: NotificationPolicy): void {
		const { uid, annotations, namespace = "", name } = object.metadata;
		const id = annotations?.[testAnnotation];
		if (id === undefined || id === object.status?.lastTest?.id || this.#tests.get(uid) === id) return;
		// One at a time, and then the newest that was requested: tests do not wait in the queue and ignore the rate.
		if (this.#testing.has(uid)) return;
		this.#testing.add(uid);
		this.#tests.set(uid, id);
		const nowMs = this.#parts.clock.now();
		const policy = policyOf(object);
		const notification: Notification = {
			id: notificationId(uid, "Test", id),
			event: "Test",
			at: timestamp(nowMs),
			namespace,
			kind: object.kind,
			name,
			policy: name,
		};
		const trying = policy.sinks.map(async (sink) => {
			const outcome = await this.#courier.deliver(policy, sink, notification);
			return { name: sink.name, ...(!outcome.ok && { error: outcome.error }) };
		});
		Promise.all(trying)
			.then((sinks) => this.#ledger?.tested(object, { id, time: timestamp(nowMs), sinks }))
			.catch((error: unknown) => this.#parts.onError?.(error))
			.finally(() => {
				this.#testing.delete(uid);
				const newest = this.#informers?.of(notificationPolicies).get(namespace, name);
				if (newest?.metadata.uid === uid && !this.#stopping.signal.aborted) this.#testWhereAsked(newest);
			});
	}

	#awaitsLog({ namespace, run = "" }: Notification): boolean {
		return this.#informers?.of(runs).get(namespace, run)?.status.logs === "Pending";
	}

	#outcome(policy: Policy, sink: Sink, notification: Notification, result: Result): void {
		const object = policy.object;
		if (object !== undefined) {
			if (result.type === "sent") this.#ledger?.sent(object, sink.name);
			else this.#ledger?.failed(object, sink.name, result.error, result.type === "givenUp");
			return;
		}
		if (result.type === "sent") return;
		const about = this.#objectOf(notification);
		if (about === undefined) return;
		const what = result.type === "givenUp" ? "Gave a message up" : "Will try again";
		this.#parts.recorder.record({
			regarding: about,
			type: "Warning",
			reason: "NotificationFailed",
			message: `${what}: webhook of secret ${policy.name}: ${result.error}`,
			component: notificationComponent,
		});
	}

	/** Without a policy, the Events are about the workload. */
	#objectOf({ namespace, kind, name }: Notification): KubeObject | undefined {
		const known = [jobs as Kind, ...workloadKinds].find((one) => one.kind === kind);
		return known && this.#informers?.of(known as Kind).get(namespace, name);
	}
}
