import { Heap } from "../heap.ts";
import { type Clock, laterSeed, type Random, seededRandom, sleepOn, type Timer } from "./clock.ts";

interface Entry {
	dueMs: number;
	/** Breaks ties: timers due at the same moment fire in the order they were set. */
	sequence: number;
	callback: () => void;
}

/**
 * A clock that stands still until it is advanced. Between two timers everything that was set off runs to its end, so a
 * run with the same seed takes the same steps in the same order every time.
 */
export class VirtualClock implements Clock {
	readonly random: Random;
	#nowMs: number;
	readonly #startMs: number;
	readonly #seed: number;
	#draws = 0;
	#sequence = 0;
	readonly #heap = new Heap(earlier);
	readonly #cancelled = new Set<Entry>();
	#holds = 0;
	#released: (() => void)[] = [];

	constructor(options: { startMs?: number; seed?: number } = {}) {
		this.#startMs = this.#nowMs = options.startMs ?? Date.UTC(2026, 0, 1);
		this.#seed = options.seed ?? 1;
		const random = seededRandom(this.#seed);
		this.random = () => {
			this.#draws++;
			return random();
		};
	}

	/** A clock at the same time, which gives the random values that this one would give next. It has no timers. */
	fork(): VirtualClock {
		return new VirtualClock({ startMs: this.#nowMs, seed: laterSeed(this.#seed, this.#draws) });
	}

	now(): number {
		return this.#nowMs;
	}

	monotonicMs(): number {
		return this.#nowMs - this.#startMs;
	}

	after(delayMs: number, callback: () => void): Timer {
		const entry: Entry = { dueMs: this.#nowMs + Math.max(delayMs, 0), sequence: this.#sequence++, callback };
		this.#heap.push(entry);
		return {
			cancel: () => {
				this.#cancelled.add(entry);
				// A cancelled entry stays in the heap until its turn; sweep when most of the heap is dead weight.
				if (this.#cancelled.size > 1024 && this.#cancelled.size * 2 > this.#heap.size) this.#sweep();
			},
		};
	}

	sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
		return sleepOn(this, delayMs, signal);
	}

	/** Epoch milliseconds at which the next timer fires; undefined when none is set. */
	nextDueMs(): number | undefined {
		this.#dropCancelled();
		return this.#heap.first?.dueMs;
	}

	/** Sets the clock forward to the next timer and fires it. False when there is none at or before `limitMs`. */
	step(limitMs = Number.POSITIVE_INFINITY): boolean {
		this.#dropCancelled();
		const entry = this.#heap.first;
		if (entry === undefined || entry.dueMs > limitMs) return false;
		this.#heap.pop();
		this.#nowMs = Math.max(this.#nowMs, entry.dueMs);
		entry.callback();
		return true;
	}

	/** Fires everything due within the next `durationMs`, in order, letting the work it sets off finish in between. */
	async advance(durationMs: number): Promise<void> {
		const endMs = this.#nowMs + durationMs;
		await this.#settle();
		while (this.step(endMs)) await this.#settle();
		this.#nowMs = Math.max(this.#nowMs, endMs);
		await this.#settle();
	}

	/**
	 * Lets time pass, timer by timer, until the promise settles, but not beyond `limitMs` from now.
	 * @returns false when the limit came first; the clock then stands there
	 * @throws what the promise rejects with
	 */
	async advanceUntil(promise: Promise<unknown>, limitMs: number): Promise<boolean> {
		const endMs = this.#nowMs + limitMs;
		let settled = false;
		const settles = () => {
			settled = true;
		};
		promise.then(settles, settles);
		for (;;) {
			await this.#settle();
			if (settled) {
				await promise;
				return true;
			}
			if (this.step(endMs)) continue;
			this.#nowMs = Math.max(this.#nowMs, endMs);
			return false;
		}
	}

	/**
	 * Time stands until the returned function is called: for work of the outside world that nothing may overtake, such as
	 * a disk's.
	 */
	hold(): () => void {
		let held = true;
		this.#holds++;
		return () => {
			if (!held) return;
			held = false;
			if (--this.#holds > 0) return;
			const released = this.#released;
			this.#released = [];
			for (const resolve of released) resolve();
		};
	}

	/**
	 * When it returns, every promise that can settle without a timer or the outside world has done so, and nobody holds
	 * the clock.
	 */
	async #settle(): Promise<void> {
		await turn();
		while (this.#holds > 0) {
			await new Promise<void>((resolve) => this.#released.push(resolve));
			await turn();
		}
	}

	#dropCancelled(): void {
		let entry = this.#heap.first;
		while (entry !== undefined && this.#cancelled.delete(entry)) {
			this.#heap.pop();
			entry = this.#heap.first;
		}
	}

	#sweep(): void {
		const cancelled = this.#cancelled;
		this.#heap.keep((entry) => !cancelled.has(entry));
		cancelled.clear();
	}
}

function earlier(a: Entry, b: Entry): boolean {
	return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.sequence < b.sequence);
}

/** One turn of the event loop. */
function turn(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}
