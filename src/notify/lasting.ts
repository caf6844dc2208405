/** How long states have lasted, on the monotonic clock: setting the wall clock does not change it. */
import type { Clock } from "../core/time/clock.ts";

interface Known {
	sinceMs: number;
	/** How long it had lasted at the first request. */
	beforeMs: number;
	/** When that was. */
	monotonicMs: number;
}

export class Lasting {
	readonly #clock: Clock;
	readonly #known = new Map<string, Known>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/**
	 * In milliseconds. Time before the first request, in an earlier process, is measured by the wall clock.
	 * @param sinceMs when the state began, in epoch milliseconds of the wall clock at that time
	 */
	of(key: string, sinceMs: number): number {
		const monotonicMs = this.#clock.monotonicMs();
		let known = this.#known.get(key);
		if (known?.sinceMs !== sinceMs) {
			known = { sinceMs, beforeMs: Math.max(this.#clock.now() - sinceMs, 0), monotonicMs };
			this.#known.set(key, known);
		}
		return known.beforeMs + monotonicMs - known.monotonicMs;
	}

	forget(key: string): void {
		this.#known.delete(key);
	}
}
