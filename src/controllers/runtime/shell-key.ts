/** The state of a key in the shell, and the time of its next sync without a change. */
import type { Clock, Timer } from "../../core/time/clock.ts";
import type { ActionFailure, Plan } from "./controller.ts";

/** Upstream's default rate limiter: 5 ms, doubled for every failure in a row, up to 1000 s. */
const firstBackoffMs = 5;
const longestBackoffMs = 1_000_000;
/** Plans from a stale cache are repeated immediately this many times in a row, then with backoff. */
const outdatedLimit = 5;

export class KeyState {
	readonly key: string;
	/** Planned and not settled yet: changes in the meantime set `dirty`. */
	busy = false;
	dirty = false;
	/** Passed from the last plan to the next one. */
	memory: unknown = undefined;
	/** The failure that ended the last plan. */
	failure: ActionFailure | undefined = undefined;
	/** When the last plan started, on the monotonic clock, like all times here except one. */
	plannedAtMs = 0;
	readonly #clock: Clock;
	readonly #wake: (state: KeyState) => void;
	/** The number of failures in a row, and how many of the last ones were caused by outdated input. */
	#failures = 0;
	#outdated = 0;
	/** For a plan's `requeueAtMs`, which follows the wall clock. */
	#timer: Timer | undefined = undefined;
	/** For a plan's `requeueAfterMs`, and since when plans have requested it. */
	#patience: Timer | undefined = undefined;
	#patientSinceMs: number | undefined = undefined;
	/** The next attempt after a failure, unless the key is woken before. */
	#retry: Timer | undefined = undefined;
	/** Changes are collected until then. */
	#gathering: Timer | undefined = undefined;

	/** @param wake adds the key to the queue, or sets `dirty` */
	constructor(key: string, clock: Clock, wake: (state: KeyState) => void) {
		this.key = key;
		this.#clock = clock;
		this.#wake = wake;
	}

	/** Whether the next plan depends on more than the informer cache. */
	get isRemembered(): boolean {
		return this.#failures > 0 || this.#timer !== undefined || this.#patience !== undefined || this.memory !== undefined;
	}

	/** How long plans have requested `requeueAfterMs`. */
	get waitedMs(): number {
		return this.#patientSinceMs === undefined ? 0 : this.#clock.monotonicMs() - this.#patientSinceMs;
	}

	/**
	 * A change has occurred.
	 * @returns whether it waits until `forMs` after the last plan, together with later ones
	 */
	gathers(forMs: number): boolean {
		const waitMs = this.plannedAtMs + forMs - this.#clock.monotonicMs();
		if (waitMs <= 0 || this.#failures > 0) return false;
		this.#gathering ??= this.#clock.after(waitMs, () => this.#wake(this));
		return true;
	}

	/** A plan is about to be made. */
	begin(): void {
		this.#timer?.cancel();
		this.#timer = undefined;
		this.#patience?.cancel();
		this.#patience = undefined;
		this.#gathering?.cancel();
		this.#gathering = undefined;
		this.plannedAtMs = this.#clock.monotonicMs();
	}

	succeeded(plan: Plan): void {
		this.#failures = 0;
		this.#outdated = 0;
		this.failure = undefined;
		this.#retry?.cancel();
		this.#retry = undefined;
		if (plan.requeueAfterMs === undefined) this.#patientSinceMs = undefined;
		this.#requeue(plan);
	}

	/**
	 * @param plan undefined if there was none
	 * @returns whether to plan again immediately
	 */
	failed(plan: Plan | undefined, failure: ActionFailure, isOutdated: boolean): boolean {
		this.failure = failure;
		if (plan !== undefined) this.#requeue(plan);
		this.#outdated = isOutdated ? this.#outdated + 1 : 0;
		if (isOutdated && this.#outdated <= outdatedLimit) {
			// The expectations are met: the informer cache has caught up.
			this.#failures = Math.max(this.#failures, 1);
			return true;
		}
		// A change triggered this attempt before the next one was due. That time is kept, so that frequent changes do not
		// postpone it.
		if (this.#retry !== undefined) return false;
		this.#failures++;
		const delayMs = Math.min(firstBackoffMs * 2 ** (this.#failures - 1), longestBackoffMs);
		this.#retry = this.#clock.after(delayMs * (0.75 + 0.5 * this.#clock.random()), () => {
			this.#retry = undefined;
			this.#wake(this);
		});
		return false;
	}

	cancel(): void {
		this.#timer?.cancel();
		this.#patience?.cancel();
		this.#retry?.cancel();
		this.#gathering?.cancel();
	}

	#requeue({ requeueAtMs, requeueAfterMs }: Plan): void {
		if (requeueAtMs !== undefined) this.#wakeAt(requeueAtMs);
		if (requeueAfterMs === undefined) return;
		this.#patientSinceMs ??= this.#clock.monotonicMs();
		this.#patience = this.#clock.after(requeueAfterMs, () => {
			this.#patience = undefined;
			this.#wake(this);
		});
	}

	#wakeAt(atMs: number): void {
		this.#timer = this.#clock.after(Math.max(atMs - this.#clock.now(), 0), () => {
			this.#timer = undefined;
			// A clock that was set back lets a timer fire too early.
			if (this.#clock.now() < atMs) this.#wakeAt(atMs);
			else this.#wake(this);
		});
	}
}
