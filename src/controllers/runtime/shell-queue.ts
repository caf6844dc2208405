/** Keys that wait to be processed, each at most once, in the order of their arrival. */
export class KeyQueue {
	/** Key → when it was added. */
	readonly #waiting = new Map<string, number>();

	get size(): number {
		return this.#waiting.size;
	}

	/** @returns false if it is queued already */
	add(key: string, nowMs: number): boolean {
		if (this.#waiting.has(key)) return false;
		this.#waiting.set(key, nowMs);
		return true;
	}

	/** The key that has waited longest, and when it was added. */
	take(): readonly [key: string, sinceMs: number] | undefined {
		for (const waiting of this.#waiting) {
			this.#waiting.delete(waiting[0]);
			return waiting;
		}
		return undefined;
	}

	clear(): void {
		this.#waiting.clear();
	}
}
