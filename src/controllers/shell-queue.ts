/** Keys that wait to be worked on, each at most once, in the order they came. */
export class KeyQueue {
	readonly #waiting = new Set<string>();

	get size(): number {
		return this.#waiting.size;
	}

	add(key: string): void {
		this.#waiting.add(key);
	}

	/** The key that has waited longest. */
	take(): string | undefined {
		for (const key of this.#waiting) {
			this.#waiting.delete(key);
			return key;
		}
		return undefined;
	}

	clear(): void {
		this.#waiting.clear();
	}
}
