/** The queues that there are, and how many messages may wait in each of them. */
import type { Timer } from "../core/clock.ts";
import type { Digest } from "./notification.ts";
import { queueId } from "./outbox.ts";
import { type Entry, mostEntries, type QueueName, type QueueState } from "./queue.ts";

/** What waits in all queues together, and in those of a namespace: some 200 bytes of memory each. */
const mostOfAll = 50_000;
const mostOfNamespace = 10_000;

/** What one sink of one policy is still to get. */
export class Queue implements QueueState {
	readonly name: QueueName;
	readonly entries: Entry[] = [];
	digest: Digest | undefined;
	sentAtMs: number[] = [];
	retryAtMs = 0;
	failedAtMs: number | undefined;
	/** Attempts in a row that failed. */
	failures = 0;
	lastError = "";
	/** Messages sent since the last pause. */
	inRow = 0;
	/** Since when the first has waited for its turn only; on the monotonic clock. */
	first: { key: string; sinceMs: number } | undefined;
	working = false;
	/** Its contents are no longer needed. */
	isOver = false;
	timer: Timer | undefined;

	constructor(name: QueueName) {
		this.name = name;
	}

	/** Whether nothing would be lost by forgetting it. */
	get isIdle(): boolean {
		return this.entries.length === 0 && this.digest === undefined && this.sentAtMs.length === 0 && this.failures === 0;
	}
}

export class Queues {
	readonly #all = new Map<string, Queue>();
	/** Namespace → how many are its. */
	readonly #counts = new Map<string, number>();

	[Symbol.iterator](): Iterator<Queue> {
		return this.#all.values();
	}

	find(name: QueueName): Queue | undefined {
		return this.#all.get(queueId(name));
	}

	/** As it is, or a new one. */
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

	/** @returns those of the namespace */
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

	/** How many messages may wait in a queue: what its namespace may have is shared by its queues. */
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
