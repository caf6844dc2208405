/** Takes keys from a shell's queue and has them planned, in bursts that leave the event loop to others. */
import type { Clock } from "../../core/time/clock.ts";
import type { KeyQueue } from "./shell-queue.ts";

/** The longest time of planning without a turn of the event loop. */
const burstMs = 20;

export interface PumpParts {
	queue: KeyQueue;
	clock: Clock;
	/** Keys whose actions are carried out at a time. */
	concurrency: number;
	/** False while nothing may be planned. */
	mayPlan(): boolean;
	/**
	 * Plans a key; must not throw.
	 * @param queuedForMs how long it was in the queue
	 */
	plan(key: string, queuedForMs: number): void;
}

export class ShellPump {
	readonly #parts: PumpParts;
	#active = 0;
	#scheduled = false;
	#burstStartMs = 0;
	#lastRunMs = 0;

	constructor(parts: PumpParts) {
		this.#parts = parts;
	}

	/**
	 * Plans what is in the queue after the current task: changes arrive while the API server commits, often many in a row,
	 * and one plan covers all of them.
	 */
	schedule(nowMs = this.#parts.clock.monotonicMs()): void {
		if (this.#scheduled || !this.#parts.mayPlan()) return;
		this.#scheduled = true;
		// After a pause the event loop has turned. Without a pause, a chain of promises may have led here.
		if (nowMs - this.#lastRunMs > burstMs / 4) this.#burstStartMs = nowMs;
		// The promise is resolved already, and `#run` does not throw.
		Promise.resolve().then(() => this.#run(), undefined);
	}

	/** The actions of a key begin: they count against the concurrency until `ended`. */
	began(): void {
		this.#active++;
	}

	ended(): void {
		this.#active--;
		this.schedule();
	}

	#run(): void {
		const { queue, clock, concurrency, mayPlan, plan } = this.#parts;
		while (this.#active < concurrency && mayPlan()) {
			this.#lastRunMs = clock.monotonicMs();
			if (this.#lastRunMs - this.#burstStartMs > burstMs) {
				clock.after(0, () => {
					this.#burstStartMs = clock.monotonicMs();
					this.#run();
				});
				return;
			}
			const taken = queue.take();
			if (taken === undefined) break;
			const [key, queuedAtMs] = taken;
			plan(key, this.#lastRunMs - queuedAtMs);
		}
		this.#scheduled = false;
	}
}
