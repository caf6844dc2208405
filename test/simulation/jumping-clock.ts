/**
 * A virtual clock whose wall time may jump, as when a machine wakes from sleep or its time is set. Timers do not
 * notice.
 */
import { type Clock, type Random, sleepOn, type Timer } from "../../src/core/time/clock.ts";
import type { VirtualClock } from "../../src/core/time/virtual-clock.ts";

/** Epoch milliseconds before and after. */
export interface Jump {
	fromMs: number;
	toMs: number;
}

export class JumpingClock implements Clock {
	readonly random: Random;
	readonly jumps: Jump[] = [];
	readonly #inner: VirtualClock;
	#offsetMs = 0;

	constructor(inner: VirtualClock) {
		this.#inner = inner;
		this.random = inner.random;
	}

	now(): number {
		return this.#inner.now() + this.#offsetMs;
	}

	monotonicMs(): number {
		return this.#inner.monotonicMs();
	}

	after(delayMs: number, callback: () => void): Timer {
		return this.#inner.after(delayMs, callback);
	}

	sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
		return sleepOn(this.#inner, delayMs, signal);
	}

	/** @param byMs backwards when negative */
	jump(byMs: number): void {
		const fromMs = this.now();
		this.#offsetMs += byMs;
		this.jumps.push({ fromMs, toMs: this.now() });
	}
}
