/** Carries out what queue.ts says: one message at a time for each sink of each policy, each on its own, and none at the cost of another. */
import type { Clock, Timer } from "../core/clock.ts";
import { timestamp } from "../core/clock.ts";
import type { Store } from "../store/store.ts";
import type { Outcome } from "./courier.ts";
import { type Notification, notificationId } from "./notification.ts";
import { digestKey, encoded, queueId } from "./outbox.ts";
import type { Policy, Sink } from "./policy.ts";
import {
	type Digest,
	type Entry,
	folded,
	mostEntries,
	nextStep,
	type QueueName,
	retryDelayMs,
	type Step,
} from "./queue.ts";
import { Slots } from "./slots.ts";

export interface DeliveryParts {
	store: Store;
	clock: Clock;
	/** Undefined: nobody wants it any more. */
	target(queue: QueueName): { policy: Policy; sink: Sink } | undefined;
	deliver(policy: Policy, sink: Sink, notification: Notification): Promise<Outcome>;
	/** When the log that it ends with is expected to be there. */
	readyAtMs(notification: Notification): number;
	/** Told of what became of a message. */
	onOutcome(policy: Policy, sink: Sink, notification: Notification, result: Result): void;
	/** So many have become a number. */
	onFolded(policy: Policy, sink: Sink, count: number): void;
	onError?(error: unknown): void;
}

export type Result = { type: "sent" } | { type: "retry"; error: string } | { type: "givenUp"; error: string };

class Queue {
	readonly name: QueueName;
	readonly entries: Entry[] = [];
	digest: Digest | undefined;
	sentAtMs: number[] = [];
	retryAtMs = 0;
	failures = 0;
	/** Messages sent since the last pause. */
	inRow = 0;
	lastError = "";
	working = false;
	/** What is in it is nobody's any more. */
	isOver = false;
	timer: Timer | undefined;

	constructor(name: QueueName) {
		this.name = name;
	}
}

/** How long acknowledgements gather: what is not written is sent again after a crash, with the same id. */
const acknowledgeMs = 100;
const mostAcknowledged = 64;
const lookAgainMs = 60_000;
/** Messages to a sink in a row, and the pause after them: some 25 a second, a twentieth of what a processor can do. */
const mostInRow = 10;
const gapMs = 400;

export class Delivery {
	readonly #parts: DeliveryParts;
	readonly #queues = new Map<string, Queue>();
	readonly #slots = new Slots<Queue>();
	#acknowledged: string[] = [];
	#acknowledging: Timer | undefined;
	readonly #working = new Set<Promise<void>>();
	#stopped = false;

	constructor(parts: DeliveryParts) {
		this.#parts = parts;
	}

	/** What is in the store already. */
	add(queue: QueueName, entry: Entry): void {
		const found = this.#queue(queue);
		found.entries.push(entry);
		this.#look(found);
	}

	addDigest(queue: QueueName, digest: Digest): void {
		const found = this.#queue(queue);
		found.digest = digest;
		this.#look(found);
	}

	/** A policy has changed: what waited for something else may go now. */
	policyChanged(namespace: string, policy: string): void {
		for (const queue of this.#queues.values()) {
			if (queue.name.namespace !== namespace || queue.name.policy !== policy) continue;
			queue.retryAtMs = 0;
			this.#look(queue);
		}
	}

	/** What waits for it must not meet the sinks of the next namespace of that name. */
	namespaceGone(namespace: string): void {
		for (const [id, queue] of this.#queues) {
			if (queue.name.namespace !== namespace) continue;
			queue.isOver = true;
			this.#queues.delete(id);
			this.#look(queue);
		}
	}

	pending({ namespace, policy, sink }: QueueName): number {
		const queue = this.#queues.get(queueId({ namespace, policy, sink }));
		return queue === undefined ? 0 : queue.entries.length + (queue.digest === undefined ? 0 : 1);
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		for (const { timer } of this.#queues.values()) timer?.cancel();
		this.#acknowledging?.cancel();
		await Promise.all(this.#working);
		await this.#writeAcknowledged();
	}

	#queue(name: QueueName): Queue {
		const id = queueId(name);
		let queue = this.#queues.get(id);
		if (queue === undefined) {
			queue = new Queue(name);
			this.#queues.set(id, queue);
		}
		return queue;
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
				this.#lookAt(queue, this.#parts.clock.now() + lookAgainMs);
			})
			.finally(() => {
				this.#working.delete(working);
				const next = this.#slots.leave(queue);
				if (next !== undefined) this.#look(next);
			});
		this.#working.add(working);
	}

	/** Until there is nothing to be done now. */
	async #work(queue: Queue): Promise<void> {
		try {
			while (!this.#stopped) {
				const target = queue.isOver ? undefined : this.#parts.target(queue.name);
				if (target === undefined) {
					await this.#discard(queue);
					return;
				}
				const { clock } = this.#parts;
				const step = nextStep(queue, target.policy, clock.now(), ({ notification }) =>
					this.#parts.readyAtMs(notification),
				);
				if (step.do === "nothing") {
					if (queue.sentAtMs.length === 0 && queue.failures === 0) this.#forget(queue);
					return;
				}
				if (step.do === "wait") {
					this.#lookAt(queue, step.untilMs);
					return;
				}
				await this.#do(queue, target, step);
			}
		} finally {
			queue.working = false;
		}
	}

	async #do(queue: Queue, { policy, sink }: { policy: Policy; sink: Sink }, step: Step): Promise<void> {
		const { clock, onOutcome } = this.#parts;
		if (step.do === "giveUp") {
			const error = queue.lastError || "it could not be sent in time";
			this.#acknowledge(queue, step.entry);
			onOutcome(policy, sink, step.entry.notification, { type: "givenUp", error });
		} else if (step.do === "fold") await this.#fold(queue, policy, sink, step.count);
		else if (step.do === "summarize") {
			const notification = summaryOf(queue.name, policy, step.digest, clock.now());
			if (!(await this.#attempt(queue, policy, sink, notification))) return;
			if (queue.digest === step.digest) queue.digest = undefined;
			await this.#parts.store.commit({ compare: [], puts: [], deletes: [digestKey(queue.name)] });
		} else if (step.do === "send") {
			if (await this.#attempt(queue, policy, sink, step.entry.notification)) this.#acknowledge(queue, step.entry);
		}
	}

	/** @returns whether it is done with: taken, or of no use to try again */
	async #attempt(queue: Queue, policy: Policy, sink: Sink, notification: Notification): Promise<boolean> {
		const { clock, deliver, onOutcome } = this.#parts;
		const outcome = await deliver(policy, sink, notification);
		if (outcome.ok) {
			queue.failures = 0;
			// A thousand messages must not hold up the Jobs that they are about; one by one they would cost more.
			queue.inRow = queue.inRow >= mostInRow ? 1 : queue.inRow + 1;
			queue.retryAtMs = queue.inRow >= mostInRow ? clock.now() + gapMs : 0;
			queue.lastError = "";
			if (policy.spec.atMost !== undefined) {
				queue.sentAtMs.push(clock.now());
				if (queue.sentAtMs.length > policy.spec.atMost.count) queue.sentAtMs.shift();
			}
			onOutcome(policy, sink, notification, { type: "sent" });
			return true;
		}
		const { error, isFinal, retryAfterMs = 0 } = outcome;
		queue.lastError = error;
		if (isFinal) {
			onOutcome(policy, sink, notification, { type: "givenUp", error });
			return true;
		}
		queue.failures++;
		queue.retryAtMs = clock.now() + Math.max(retryDelayMs(queue.failures, clock.random()), retryAfterMs);
		onOutcome(policy, sink, notification, { type: "retry", error });
		return false;
	}

	async #fold(queue: Queue, policy: Policy, sink: Sink, count: number): Promise<void> {
		const entries = queue.entries.slice(0, count);
		const digest = folded(queue.digest, entries, this.#parts.clock.now());
		for (let at = 0; at < entries.length; at += mostEntries) {
			const deletes = entries.slice(at, at + mostEntries).map(({ key }) => key);
			const puts = [{ key: digestKey(queue.name), value: encoded(digest) }];
			await this.#parts.store.commit({ compare: [], puts, deletes });
		}
		queue.digest = digest;
		queue.entries.splice(0, count);
		this.#parts.onFolded(policy, sink, count);
	}

	async #discard(queue: Queue): Promise<void> {
		const deletes = queue.entries.splice(0).map(({ key }) => key);
		if (queue.digest !== undefined) deletes.push(digestKey(queue.name));
		this.#forget(queue);
		for (let at = 0; at < deletes.length; at += mostEntries)
			await this.#parts.store.commit({ compare: [], puts: [], deletes: deletes.slice(at, at + mostEntries) });
	}

	#forget(queue: Queue): void {
		const id = queueId(queue.name);
		if (this.#queues.get(id) === queue) this.#queues.delete(id);
	}

	#lookAt(queue: Queue, atMs: number): void {
		if (this.#stopped) return;
		const { clock } = this.#parts;
		queue.timer?.cancel();
		// Clocks are set, and zones change: nobody sleeps through that.
		const delayMs = Math.min(Math.max(atMs - clock.now(), 0), 3_600_000);
		queue.timer = clock.after(delayMs, () => {
			queue.timer = undefined;
			this.#look(queue);
		});
	}

	#acknowledge(queue: Queue, entry: Entry): void {
		const at = queue.entries.indexOf(entry);
		if (at >= 0) queue.entries.splice(at, 1);
		this.#acknowledged.push(entry.key);
		if (this.#acknowledged.length >= mostAcknowledged) this.#startAcknowledging();
		else this.#acknowledging ??= this.#parts.clock.after(acknowledgeMs, () => this.#startAcknowledging());
	}

	#startAcknowledging(): void {
		this.#acknowledging?.cancel();
		this.#acknowledging = undefined;
		const working = this.#writeAcknowledged()
			.catch((error: unknown) => this.#parts.onError?.(error))
			.finally(() => this.#working.delete(working));
		this.#working.add(working);
	}

	async #writeAcknowledged(): Promise<void> {
		const deletes = this.#acknowledged;
		if (deletes.length === 0) return;
		this.#acknowledged = [];
		try {
			await this.#parts.store.commit({ compare: [], puts: [], deletes });
		} catch (error) {
			this.#acknowledged.push(...deletes);
			throw error;
		}
	}
}

function summaryOf(queue: QueueName, policy: Policy, { count, events, sinceMs }: Digest, nowMs: number): Notification {
	const message = Object.entries(events)
		.map(([event, number]) => `${number} ${event}`)
		.join(", ");
	return {
		id: notificationId(queueId(queue), "Summary", sinceMs, count),
		event: "Summary",
		at: timestamp(nowMs),
		namespace: queue.namespace,
		kind: "NotificationPolicy",
		name: policy.name,
		policy: policy.name,
		startTime: timestamp(sinceMs),
		count,
		message,
	};
}
