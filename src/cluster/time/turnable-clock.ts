import { type Clock, systemClock, type Timer } from "../../core/time/clock.ts";
import type { VirtualClock } from "../../core/time/virtual-clock.ts";

/** Real milliseconds between two adjustments of virtual time. */
const tickMs = 20;
/** The maximum real time that an adjustment makes up for: the duration of a long jump is not added. */
const catchUpMs = 1000;

/**
 * Virtual time that advances with real time, faster, or not at all, and can be set forward. Everything due in between
 * fires in order, however fast it goes.
 */
export class TurnableClock {
	readonly clock: VirtualClock;
	readonly #real: Clock;
	#rate: number;
	#stopped = false;
	/** One change at a time. */
	#turn: Promise<void> = Promise.resolve();
	#lastRealMs: number;
	#timer: Timer | undefined;

	constructor(options: { clock: VirtualClock; rate: number; real?: Clock }) {
		this.#real = options.real ?? systemClock();
		this.clock = options.clock;
		this.#rate = options.rate;
		this.#lastRealMs = this.#real.monotonicMs();
		this.#tick();
	}

	get rate(): number {
		return this.#rate;
	}

	/** 0 stops time. What is due at this moment still happens. */
	run(rate: number): void {
		this.#rate = rate;
	}

	/** Advances by this duration; resolves when everything due in between has happened. */
	advance(durationMs: number): Promise<void> {
		this.#turn = this.#turn.then(() => (this.#stopped ? undefined : this.clock.advance(durationMs)));
		return this.#turn;
	}

	/** Stops the clock permanently. */
	stop(): void {
		this.#stopped = true;
		this.#timer?.cancel();
	}

	#tick(): void {
		if (this.#stopped) return;
		const realMs = this.#real.monotonicMs();
		const elapsedMs = Math.min(realMs - this.#lastRealMs, catchUpMs) * this.#rate;
		this.#lastRealMs = realMs;
		void this.advance(elapsedMs).finally(() => {
			if (!this.#stopped) this.#timer = this.#real.after(tickMs, () => this.#tick());
		});
	}
}
