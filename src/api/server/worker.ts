/** Processes keys one after the other, and retries failed ones later. */
import type { Clock, Timer } from "../../core/time/clock.ts";
import type { Server } from "./server.ts";

const firstRetryMs = 100;
const longestRetryMs = 30_000;

export class Worker {
	readonly #clock: Clock;
	readonly #work: (key: string) => Promise<void>;
	readonly #onError: (key: string, error: unknown) => void;
	readonly #waiting = new Set<string>();
	readonly #retries = new Map<string, { timer: Timer; delayMs: number }>();
	#isWorking = false;
	#isClosed = false;

	/** @param onError called with each failure, before the retry */
	constructor(clock: Clock, work: (key: string) => Promise<void>, onError: (key: string, error: unknown) => void) {
		this.#clock = clock;
		this.#work = work;
		this.#onError = onError;
	}

	/** A key that is already queued is processed once. */
	add(key: string): void {
		if (this.#isClosed) return;
		this.#waiting.add(key);
		if (!this.#isWorking) void this.#run();
	}

	close(): void {
		this.#isClosed = true;
		this.#waiting.clear();
		for (const { timer } of this.#retries.values()) timer.cancel();
	}

	async #run(): Promise<void> {
		this.#isWorking = true;
		// What is added while one is done comes behind it.
		for (const key of this.#waiting) {
			this.#waiting.delete(key);
			try {
				await this.#work(key);
				this.#retries.get(key)?.timer.cancel();
				this.#retries.delete(key);
			} catch (error) {
				if (this.#isClosed) return;
				this.#onError(key, error);
				this.#retryLater(key);
			}
		}
		this.#isWorking = false;
	}

	#retryLater(key: string): void {
		const before = this.#retries.get(key);
		before?.timer.cancel();
		const delayMs = before === undefined ? firstRetryMs : Math.min(before.delayMs * 2, longestRetryMs);
		this.#retries.set(key, { delayMs, timer: this.#clock.after(delayMs, () => this.add(key)) });
	}
}

/** Reports to the server's owner. */
export function failing({ options }: Server): (key: string, error: unknown) => void {
	return (key, error) => options.onError?.(`custom resources, ${key}`, error);
}
