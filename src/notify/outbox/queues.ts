/** All queues, and how many messages may be pending in each of them. */
import type { Timer } from "../../core/time/clock.ts";
import type { Digest } from "../sinks/notification.ts";
import { queueId } from "./outbox.ts";
import { type Entry, mostEntries, type QueueName, type QueueState } from "./queue.ts";

/** Pending messages in all queues together, and in those of a namespace: each uses about 200 bytes of memory. */
const mostOfAll = 50_000;
const mostOfNamespace = 10_000;

/** The pending messages of one sink of a policy. */
export class Queue implements QueueState {
	readonly name: QueueName;
	readonly entries: Entry[] = [];
	digest: Digest | undefined;
	sentAtMs: number[] = [];
	retryAtMs = 0;
	failedAtMs: number | undefined;
	/** Failed attempts in a row. */
	failures = 0;
	lastError = "";
	/** Messages sent since the last pause. */
	inRow = 0;
	/** Since when the first message has only waited for its turn; on the monotonic clock. */
	first: { key: string; sinceMs: number } | undefined;
	working = false;
	/** Its contents are no longer needed. */
	isOver = false;
	timer: Timer | undefined;

	constructor(name: QueueName) {
		this.name = name;
	}

	/** Whether it holds no information. */
	get isIdle(): boolean {
		return this.entries.length === 0 && this.digest === undefined && this.sentAtMs.length === 0 && this.failures === 0;
	}
}

export class Queues {
	readonly #all = new Map<string, Queue>();
	/** Namespace → number of its messages. */
	readonly #counts = new Map<string, number>();

	[Symbol.iterator](): Iterator<Queue> {
		return this.#all.values();
	}

	find(name: QueueName): Queue | undefined {
		return this.#all.get(queueId(name));
	}

	/** The existing queue, or a new one. */
	at(name: QueueName): Queue {
		const id = queueId(name);
		let queue = this.#all.get(id);
		if (queue === undefined) {
			queue = new Queue(name);
			this.#all.set(id, queue);
			this.#count(name.namespace, 1);
		}
		return queue;
	}

	/** @returns the queues of the namespace */
	of(namespace: string): Queue[] {
		return this.#counts.has(namespace)
			? [...this.#all.values()].filter(({ name }) => name.namespace === namespace)
			: [];
	}

	forget(queue: Queue): void {
		const id = queueId(queue.name);
		if (this.#all.get(id) !== queue) return;
		this.#all.delete(id);
		this.#count(queue.name.namespace, -1);
	}

	/** How many messages may be pending in a queue: queues share the limit of their namespace. */
	limitOf({ namespace }: QueueName): number {
		const ofNamespace = Math.min(mostOfNamespace, mostOfAll / this.#counts.size);
		const share = Math.floor(ofNamespace / (this.#counts.get(namespace) ?? 1));
		return Math.max(Math.min(share, mostEntries), 1);
	}

	#count(namespace: string, change: 1 | -1): void {
		const count = (this.#counts.get(namespace) ?? 0) + change;
		if (count === 0) this.#counts.delete(namespace);
		else this.#counts.set(namespace, count);
	}
}
