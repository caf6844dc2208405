/**
 * Carries out the decisions of queue.ts: one message at a time per sink and policy, with queues independent of each
 * other.
 */
import { type Clock, parseTimestamp } from "../../core/time/clock.ts";
import { deleteCost, inCommits, putCost } from "../../store/commit-size.ts";
import type { Store } from "../../store/store.ts";
import { digestKey, encoded, messageAt, queueId } from "../outbox/outbox.ts";
import { type Entry, folded, nextStep, type QueueName, retryDelayMs, type Step } from "../outbox/queue.ts";
import { type Queue, Queues } from "../outbox/queues.ts";
import type { Policy, Sink } from "../policies/policy.ts";
import { type Digest, type Notification, summaryOf } from "../sinks/notification.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import type { Outcome } from "./courier.ts";
import { Slots } from "./slots.ts";

export interface DeliveryParts {
	store: Store;
	clock: Clock;
	/** Undefined: it is no longer needed. */
	target(queue: QueueName): Target | undefined;
	deliver(policy: Policy, sink: Sink, notification: Notification): Promise<Outcome>;
	/** Whether the log that it includes is still expected. */
	awaitsLog(notification: Notification): boolean;
	/** Called with the result of a message. */
	onOutcome(policy: Policy, sink: Sink, notification: Notification, result: Result): void;
	/** This number of messages was folded into a count. */
	onFolded(policy: Policy, sink: Sink, count: number): void;
	onError?(error: unknown): void;
}

export type Result = { type: "sent" } | { type: "retry"; error: string } | { type: "givenUp"; error: string };

interface Target {
	policy: Policy;
	sink: Sink;
}

const lookAgainMs = 60_000;
/** Quiet hours end at a wall clock time, which may be set, in zones that may change: the timer is limited. */
const longestSleepMs = 3_600_000;
/** Messages to a sink in a row, and the pause after them: about 25 per second, which use a twentieth of a CPU. */
const mostInRow = 10;
const gapMs = 400;
/** How long a message waits for the log that it includes, and the interval of the checks. */
const logPatienceMs = 20_000;
const logLookMs = 250;

export class Delivery {
	readonly #parts: DeliveryParts;
	readonly #queues = new Queues();
	readonly #slots = new Slots<Queue>();
	readonly #acknowledged: Acknowledgements;
	readonly #working = new Set<Promise<void>>();
	#stopped = false;

	constructor(parts: DeliveryParts) {
		this.#parts = parts;
		this.#acknowledged = new Acknowledgements(parts.store, parts.clock, (error) => parts.onError?.(error));
	}

	/** The entry is already in the store. */
	add(name: QueueName, entry: Entry): void {
		const queue = this.#queues.at(name);
		queue.entries.push(entry);
		this.#look(queue);
	}

	addDigest(name: QueueName, digest: Digest): void {
		const queue = this.#queues.at(name);
		queue.digest = digest;
		this.#look(queue);
	}

	/** A policy has changed: messages that waited for another reason may be sent now. */
	policyChanged(namespace: string, policy: string): void {
		for (const queue of this.#queues.of(namespace)) {
			if (queue.name.policy !== policy) continue;
			queue.retryAtMs = 0;
			this.#look(queue);
		}
	}

	/** Pending messages must not reach the sinks of a later namespace with the same name. */
	namespaceGone(namespace: string): void {
		for (const queue of this.#queues.of(namespace)) {
			queue.isOver = true;
			this.#queues.forget(queue);
			this.#look(queue);
		}
	}

	pending(name: QueueName): number {
		const queue = this.#queues.find(name);
		return queue === undefined ? 0 : queue.entries.length + (queue.digest === undefined ? 0 : 1);
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		for (const { timer } of this.#queues) timer?.cancel();
		await Promise.all(this.#working);
		await this.#acknowledged.stop();
	}

	#look(queue: Queue): void {
		if (queue.working || this.#stopped) return;
		queue.timer?.cancel();
		queue.timer = undefined;
		if (!this.#slots.enter(queue)) return;
		queue.working = true;
		const working = this.#work(queue)
			.catch((error: unknown) => {
				this.#parts.onError?.(error);
				this.#lookIn(queue, lookAgainMs);
			})
			.finally(() => {
				this.#working.delete(working);
				const next = this.#slots.leave(queue);
				if (next !== undefined) this.#look(next);
			});
		this.#working.add(working);
	}

	/** Works until there is nothing to do now. */
	async #work(queue: Queue): Promise<void> {
		const { clock } = this.#parts;
		try {
			while (!this.#stopped) {
				const target = queue.isOver ? undefined : this.#parts.target(queue.name);
				if (target === undefined) {
					await this.#discard(queue);
					return;
				}
				const now = { epochMs: clock.now(), monotonicMs: clock.monotonicMs() };
				const step = nextStep(queue, target.policy, now, this.#queues.limitOf(queue.name));
				if (step.do === "nothing") {
					if (queue.isIdle) this.#queues.forget(queue);
					return;
				}
				const waitMs = step.do === "wait" ? step.forMs : await this.#do(queue, target, step);
				if (waitMs > 0) {
					this.#lookIn(queue, waitMs);
					return;
				}
			}
		} finally {
			queue.working = false;
		}
	}

	/** @returns the delay before the next step */
	async #do(queue: Queue, target: Target, step: Exclude<Step, { do: "wait" | "nothing" }>): Promise<number> {
		const { store, clock } = this.#parts;
		switch (step.do) {
			case "fold":
				await this.#fold(queue, target, step.count);
				return 0;
			case "summarize": {
				const summary = summaryOf(queueId(queue.name), target.policy, step.digest, clock.now());
				if (!(await this.#attempt(queue, target, summary))) return 0;
				await store.commit({ compare: [], puts: [], deletes: [digestKey(queue.name)] });
				queue.digest = undefined;
				return 0;
			}
			case "giveUp": {
				const notification = await messageAt(store, step.entry.key);
				const error = queue.lastError || "it could not be sent in time";
				this.#acknowledge(queue, step.entry);
				if (notification !== undefined) this.#tell(target, notification, { type: "givenUp", error });
				return 0;
			}
			case "send":
				return this.#send(queue, target, step.entry);
		}
	}

	async #send(queue: Queue, target: Target, entry: Entry): Promise<number> {
		const notification = await messageAt(this.#parts.store, entry.key);
		if (notification !== undefined && this.#awaitsLog(queue, entry, notification)) return logLookMs;
		if (notification === undefined || (await this.#attempt(queue, target, notification)))
			this.#acknowledge(queue, entry);
		return 0;
	}

	#awaitsLog(queue: Queue, { key }: Entry, notification: Notification): boolean {
		const { clock, awaitsLog } = this.#parts;
		if (queue.first?.key !== key) queue.first = { key, sinceMs: clock.monotonicMs() };
		const { endTime } = notification;
		return (
			endTime !== undefined &&
			clock.now() < parseTimestamp(endTime) + logPatienceMs &&
			clock.monotonicMs() < queue.first.sinceMs + logPatienceMs &&
			awaitsLog(notification)
		);
	}

	/** @returns whether it is done: delivered, or another attempt is useless */
	async #attempt(queue: Queue, target: Target, notification: Notification): Promise<boolean> {
		const { policy, sink } = target;
		const { clock, deliver } = this.#parts;
		const outcome = await deliver(policy, sink, notification);
		const nowMs = clock.monotonicMs();
		if (outcome.ok) {
			queue.failures = 0;
			queue.failedAtMs = undefined;
			// A thousand messages must not delay the Jobs that they report; pausing after each would cost more.
			queue.inRow = queue.inRow >= mostInRow ? 1 : queue.inRow + 1;
			queue.retryAtMs = queue.inRow >= mostInRow ? nowMs + gapMs : 0;
			queue.lastError = "";
			if (policy.spec.atMost !== undefined) {
				queue.sentAtMs.push(nowMs);
				if (queue.sentAtMs.length > policy.spec.atMost.count) queue.sentAtMs.shift();
			}
			this.#tell(target, notification, { type: "sent" });
			return true;
		}
		const { error, isFinal, retryAfterMs = 0 } = outcome;
		queue.lastError = error;
		if (!isFinal) {
			queue.failures++;
			queue.failedAtMs = clock.now();
			queue.retryAtMs = nowMs + Math.max(retryDelayMs(queue.failures, clock.random()), retryAfterMs);
		}
		this.#tell(target, notification, { type: isFinal ? "givenUp" : "retry", error });
		return isFinal;
	}

	#tell({ policy, sink }: Target, notification: Notification, result: Result): void {
		this.#parts.onOutcome(policy, sink, notification, result);
	}

	/** The count and the pending messages are consistent after each commit. */
	async #fold(queue: Queue, { policy, sink }: Target, count: number): Promise<void> {
		const { store, clock, onFolded } = this.#parts;
		const key = digestKey(queue.name);
		const reserved = putCost({ key, value: encoded(folded(queue.digest, queue.entries.slice(0, count), 0)) });
		for (const group of inCommits(queue.entries.slice(0, count), ({ key }) => deleteCost(key), reserved)) {
			const digest = folded(queue.digest, group, clock.now());
			const deletes = group.map((entry) => entry.key);
			await store.commit({ compare: [], puts: [{ key, value: encoded(digest) }], deletes });
			queue.digest = digest;
			queue.entries.splice(0, group.length);
		}
		onFolded(policy, sink, count);
	}

	async #discard(queue: Queue): Promise<void> {
		const keys = queue.entries.splice(0).map(({ key }) => key);
		if (queue.digest !== undefined) keys.push(digestKey(queue.name));
		queue.digest = undefined;
		this.#queues.forget(queue);
		for (const deletes of inCommits(keys, deleteCost))
			await this.#parts.store.commit({ compare: [], puts: [], deletes });
	}

	#acknowledge(queue: Queue, entry: Entry): void {
		const at = queue.entries.indexOf(entry);
		if (at >= 0) queue.entries.splice(at, 1);
		this.#acknowledged.add(entry.key);
	}

	#lookIn(queue: Queue, delayMs: number): void {
		if (this.#stopped) return;
		queue.timer?.cancel();
		// Whole milliseconds, like timers: with a fraction the timer would fire too early again and again.
		queue.timer = this.#parts.clock.after(Math.min(Math.ceil(delayMs), longestSleepMs), () => {
			queue.timer = undefined;
			this.#look(queue);
		});
	}
}
