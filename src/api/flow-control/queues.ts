/** The requests of one level: those that have seats, and those that wait in queues, of which each gets its turn. */
import type { Clock, Timer } from "../../core/time/clock.ts";
import { handOf } from "./hand.ts";

export interface QueueConfig {
	/** 0: what finds no seats is refused. */
	queues: number;
	handSize: number;
	queueLengthLimit: number;
}

export interface Waiting {
	readonly seats: number;
	/** What shares a queue. */
	readonly flow: string;
	readonly arrivedMs: number;
	readonly start: (place: Queue) => void;
	readonly stays: () => void;
	readonly queue: Queue;
	readonly timer: Timer;
}

export class Queue {
	readonly number: number;
	readonly waiting = new Set<Waiting>();
	seatsWaiting = 0;
	seatsRunning = 0;
	running = 0;
	/**
	 * How far the queue is served: grows by seats and the milliseconds for which they are taken. The queue that is the
	 * least far is next.
	 */
	served = 0;

	constructor(number: number) {
		this.number = number;
	}

	get isIdle(): boolean {
		return this.waiting.size === 0 && this.running === 0;
	}
}

/** Why a request was not run. */
export type Refusal = "queue-full" | "concurrency-limit" | "time-out" | "cancelled";

export interface Entrance {
	seats: number;
	flow: string;
	nowMs: number;
	/** How long it may wait. */
	patienceMs: number;
	/** Aborts when the client is gone. */
	signal: AbortSignal;
	/** Called at once, if it waits. @param length of its queue, with it */
	queued(length: number): void;
	/** Called each time when it is its turn, but there are too few seats. */
	stays(): void;
	/** Called later, once: it may run now. */
	start(place: Queue): void;
	/** Called at once or later, instead. */
	refuse(why: Refusal): void;
}

/** What a seat is taken to cost as long as nobody knows, in milliseconds: corrected when a request is over. */
const expectedMs = 3;

export class Queues {
	readonly #clock: Clock;
	#config: QueueConfig = { queues: 0, handSize: 0, queueLengthLimit: 0 };
	/** Those that something waits in or was started from, by their numbers. */
	readonly #queues = new Map<number, Queue>();
	readonly #active = new Set<Queue>();
	/** How far the queue was that was served last: none begins behind it. */
	#progress = 0;
	#limit = 0;
	seatsRunning = 0;
	running = 0;
	waiting = 0;
	seatsWaiting = 0;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	get queues(): readonly Queue[] {
		return [...this.#queues.values()];
	}

	get config(): QueueConfig {
		return this.#config;
	}

	/** Of requests that may wait. */
	get places(): number {
		const { queues, queueLengthLimit } = this.#config;
		return Math.max(1, queueLengthLimit) * Math.max(1, queues);
	}

	get limit(): number {
		return this.#limit;
	}

	/** Requests that wait stay in their queues, even if there are fewer now. @param limit seats; Infinity for all */
	configure(config: QueueConfig, limit: number): void {
		this.#config = config;
		this.#limit = limit;
		this.dispatch();
	}

	setLimit(limit: number): void {
		this.#limit = limit;
		this.dispatch();
	}

	/** Takes seats if there are any and nobody waits for them. */
	take(seats: number): boolean {
		if (this.waiting > 0 || !this.#fits(seats)) return false;
		this.seatsRunning += seats;
		this.running++;
		return true;
	}

	/** Waits for seats, which `take` had none of. */
	wait(entrance: Entrance): void {
		const { seats, flow, nowMs, patienceMs, signal, queued, stays, start, refuse } = entrance;
		const { queues, queueLengthLimit } = this.#config;
		if (queues === 0) {
			refuse("concurrency-limit");
			return;
		}
		const queue = this.#queueOf(flow);
		if (queue.waiting.size >= queueLengthLimit) {
			refuse("queue-full");
			return;
		}
		const leave = (why: Refusal) => {
			signal.removeEventListener("abort", gone);
			timer.cancel();
			if (!this.#forget(waiting)) return;
			if (queue.isIdle) this.#queues.delete(queue.number);
			refuse(why);
		};
		const gone = () => leave("cancelled");
		const timer = this.#clock.after(patienceMs, () => leave("time-out"));
		signal.addEventListener("abort", gone, { once: true });
		const waiting: Waiting = {
			seats,
			flow,
			arrivedMs: nowMs,
			queue,
			timer,
			stays,
			start: (place) => {
				signal.removeEventListener("abort", gone);
				start(place);
			},
		};
		if (queue.waiting.size === 0) {
			queue.served = Math.max(queue.served, this.#progress);
			this.#active.add(queue);
		}
		this.#queues.set(queue.number, queue);
		queue.waiting.add(waiting);
		queue.seatsWaiting += seats;
		this.waiting++;
		this.seatsWaiting += seats;
		queued(queue.waiting.size);
		// Those before may be too wide for the seats that are left, and it be its turn.
		this.dispatch();
	}

	/** Gives seats back. @param place where the request had waited */
	leave(seats: number, place: Queue | undefined, tookMs: number): void {
		this.seatsRunning -= seats;
		this.running--;
		if (place !== undefined) {
			place.running--;
			place.seatsRunning -= seats;
			place.served += seats * (tookMs - expectedMs);
			if (place.isIdle) this.#queues.delete(place.number);
		}
		if (this.waiting > 0) this.dispatch();
	}

	/** Starts those whose turn it is, as long as there are seats for the next one. */
	dispatch(): void {
		while (this.waiting > 0) {
			const next = this.#next();
			if (next === undefined) return;
			if (!this.#fits(next.seats)) {
				next.stays();
				return;
			}
			const { queue, seats } = next;
			this.#forget(next);
			next.timer.cancel();
			this.#progress = Math.max(this.#progress, queue.served);
			queue.served += seats * expectedMs;
			queue.running++;
			queue.seatsRunning += seats;
			this.seatsRunning += seats;
			this.running++;
			next.start(queue);
		}
	}

	/** A request that is wider than the limit runs alone. */
	#fits(seats: number): boolean {
		return this.seatsRunning + seats <= this.#limit || (seats > this.#limit && this.running === 0);
	}

	/** Of the queues of the flow, the one with the least before it; one that is not there is empty. */
	#queueOf(flow: string): Queue {
		const { queues, handSize } = this.#config;
		let best: Queue | undefined;
		for (const number of handOf(flow, queues, Math.min(handSize, queues))) {
			const queue = this.#queues.get(number) ?? new Queue(number);
			const isBetter =
				best === undefined || queue.seatsWaiting + queue.seatsRunning < best.seatsWaiting + best.seatsRunning;
			if (isBetter) best = queue;
		}
		if (best === undefined) throw new Error("a level with queues has none");
		return best;
	}

	/** The oldest of the queue that has been served the least. */
	#next(): Waiting | undefined {
		let best: Waiting | undefined;
		let least = Number.POSITIVE_INFINITY;
		for (const queue of this.#active) {
			const [oldest] = queue.waiting;
			if (oldest === undefined) continue;
			const after = queue.served + oldest.seats * expectedMs;
			if (after >= least) continue;
			best = oldest;
			least = after;
		}
		return best;
	}

	#forget(waiting: Waiting): boolean {
		const { queue, seats } = waiting;
		if (!queue.waiting.delete(waiting)) return false;
		queue.seatsWaiting -= seats;
		this.waiting--;
		this.seatsWaiting -= seats;
		if (queue.waiting.size === 0) this.#active.delete(queue);
		return true;
	}
}
