/** What must be processed, and when: changes are collected until then. Work is done one batch at a time. */
import type { Clock, Timer } from "../core/time/clock.ts";

/** The pause between two batches. */
const pauseMs = 50;
const retryMs = 1000;

export interface Marked {
	namespace: string;
	name: string;
	uid: string;
	/** On the monotonic clock. */
	dueMs: number;
}

export class Marks {
	readonly #clock: Clock;
	readonly #work: () => Promise<void>;
	readonly #onError: (error: unknown) => void;
	readonly #marked = new Map<string, Marked>();
	#timer: Timer | undefined;
	#timerMs = Number.POSITIVE_INFINITY;
	#working: Promise<void> | undefined;
	#state: "new" | "running" | "stopped" = "new";

	/** @param work processes what is due; if it fails, it is called again after a while */
	constructor(clock: Clock, work: () => Promise<void>, onError: (error: unknown) => void) {
		this.#clock = clock;
		this.#work = work;
		this.#onError = onError;
	}

	/** Work begins now; earlier marks have been collected. */
	start(): void {
		if (this.#state === "new") this.#state = "running";
		this.#scheduleNext(0);
	}

	/** Resolves when no work is in progress any more. */
	async stop(): Promise<void> {
		this.#state = "stopped";
		this.#timer?.cancel();
		await this.#working;
	}

	/** The number of marks. */
	get size(): number {
		return this.#marked.size;
	}

	/** When it is due, if it is marked. */
	dueMs(uid: string): number | undefined {
		return this.#marked.get(uid)?.dueMs;
	}

	/** The earliest of several marks counts. */
	mark({ namespace, name, uid }: Omit<Marked, "dueMs">, delayMs: number): void {
		const dueMs = this.#clock.monotonicMs() + delayMs;
		const marked = this.#marked.get(uid);
		if (marked === undefined) this.#marked.set(uid, { namespace, name, uid, dueMs });
		else if (marked.dueMs > dueMs) marked.dueMs = dueMs;
		this.#schedule(dueMs);
	}

	/** Calls `work` even if nothing is due. */
	wake(delayMs: number): void {
		this.#schedule(this.#clock.monotonicMs() + delayMs);
	}

	/** Takes what is due and removes its marks: a later mark has it processed again. */
	take(limit: number): Marked[] {
		const nowMs = this.#clock.monotonicMs();
		const due: Marked[] = [];
		for (const marked of this.#marked.values()) {
			if (marked.dueMs > nowMs) continue;
			due.push(marked);
			if (due.length >= limit) break;
		}
		for (const { uid } of due) this.#marked.delete(uid);
		return due;
	}

	#schedule(dueMs: number): void {
		if (dueMs >= this.#timerMs || this.#state !== "running") return;
		this.#timer?.cancel();
		this.#timerMs = dueMs;
		this.#timer = this.#clock.after(Math.max(dueMs - this.#clock.monotonicMs(), 0), () => {
			this.#timerMs = Number.POSITIVE_INFINITY;
			this.#timer = undefined;
			this.#working ??= this.#begin();
		});
	}

	async #begin(): Promise<void> {
		let delayMs = pauseMs;
		try {
			await this.#work();
		} catch (error) {
			delayMs = retryMs;
			if (this.#state === "running") this.#onError(error);
		}
		this.#working = undefined;
		if (delayMs === retryMs) this.wake(retryMs);
		this.#scheduleNext(delayMs);
	}

	#scheduleNext(leastMs: number): void {
		let nextMs = Number.POSITIVE_INFINITY;
		for (const { dueMs } of this.#marked.values()) nextMs = Math.min(nextMs, dueMs);
		if (nextMs < Number.POSITIVE_INFINITY) this.#schedule(Math.max(nextMs, this.#clock.monotonicMs() + leastMs));
	}
}
