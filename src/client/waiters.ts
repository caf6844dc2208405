/** Callers that wait for a revision. */

interface Waiter {
	revision: number;
	resolve(): void;
	reject(reason: unknown): void;
}

export class Waiters {
	readonly #waiting = new Set<Waiter>();

	get size(): number {
		return this.#waiting.size;
	}

	/** Resolves at `release` of this revision or a later one; rejects if the signal aborts or `close` is called. */
	wait(revision: number, signal?: AbortSignal): Promise<void> {
		return new Promise((resolve, reject) => {
			if (signal?.aborted) {
				reject(signal.reason);
				return;
			}
			const abort = () => {
				this.#waiting.delete(waiter);
				reject(signal?.reason);
			};
			const finished = () => signal?.removeEventListener("abort", abort);
			const waiter: Waiter = {
				revision,
				resolve() {
					finished();
					resolve();
				},
				reject(reason) {
					finished();
					reject(reason);
				},
			};
			this.#waiting.add(waiter);
			signal?.addEventListener("abort", abort, { once: true });
		});
	}

	release(revision: number): void {
		for (const waiter of this.#waiting) {
			if (waiter.revision > revision) continue;
			this.#waiting.delete(waiter);
			waiter.resolve();
		}
	}

	close(): void {
		for (const waiter of this.#waiting) waiter.reject(new Error("the informer cache was closed"));
		this.#waiting.clear();
	}
}
