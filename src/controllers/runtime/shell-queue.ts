/** Keys that wait to be worked on, each at most once, in the order they came. */
export class KeyQueue {
	/** And since when. */
	readonly #waiting = new Map<string, number>();

	get size(): number {
		return this.#waiting.size;
	}

	/** @returns false when it waits already */
	add(key: string, nowMs: number): boolean {
		if (this.#waiting.has(key)) return false;
		this.#waiting.set(key, nowMs);
		return true;
	}

	/** The key that has waited longest, and since when it has. */
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
