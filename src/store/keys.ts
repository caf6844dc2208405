/**
 * A sorted set of strings in chunks, so that an insertion moves hundreds of keys at most. New keys are sorted when a
 * range is read: most are added and removed between two lists.
 */

const chunkLimit = 512;

export class SortedKeys {
	/** Non-empty chunks, each sorted, all keys of one before all keys of the next. */
	readonly #chunks: string[][] = [];
	readonly #added = new Set<string>();

	/** Adds a key that is not in the set. */
	add(key: string): void {
		this.#added.add(key);
	}

	#sortIn(): void {
		if (this.#added.size === 0) return;
		// In order, so that neighbors are found in the same chunk.
		for (const key of [...this.#added].sort()) this.#insert(key);
		this.#added.clear();
	}

	#insert(key: string): void {
		const chunks = this.#chunks;
		const at = this.#chunkFor(key);
		const chunk = chunks[at];
		if (chunk === undefined) {
			const last = chunks[chunks.length - 1];
			if (last === undefined || last.length >= chunkLimit) chunks.push([key]);
			else last.push(key);
			return;
		}
		chunk.splice(lowerBound(chunk, key), 0, key);
		if (chunk.length > chunkLimit) chunks.splice(at + 1, 0, chunk.splice(chunkLimit / 2));
	}

	/** Removes a key that is in the set. */
	remove(key: string): void {
		if (this.#added.delete(key)) return;
		const at = this.#chunkFor(key);
		const chunk = this.#chunks[at];
		if (chunk === undefined) return;
		const index = lowerBound(chunk, key);
		if (chunk[index] !== key) return;
		chunk.splice(index, 1);
		if (chunk.length === 0) this.#chunks.splice(at, 1);
	}

	/** Keys from `from` (inclusive) to `to` (exclusive; undefined: no end), in order, at most `limit`. */
	slice(from: string, to: string | undefined, limit: number): string[] {
		this.#sortIn();
		const found: string[] = [];
		for (let at = this.#chunkFor(from); at < this.#chunks.length; at++) {
			const chunk = this.#chunks[at] ?? [];
			const start = found.length === 0 ? lowerBound(chunk, from) : 0;
			for (let index = start; index < chunk.length; index++) {
				const key = chunk[index];
				if (key === undefined || (to !== undefined && key >= to) || found.length >= limit) return found;
				found.push(key);
			}
		}
		return found;
	}

	/** Index of the first chunk whose last key is not before `key`; the number of chunks if there is none. */
	#chunkFor(key: string): number {
		let low = 0;
		let high = this.#chunks.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			const last = this.#chunks[middle]?.at(-1);
			if (last !== undefined && last < key) low = middle + 1;
			else high = middle;
		}
		return low;
	}
}

function lowerBound(sorted: readonly string[], key: string): number {
	let low = 0;
	let high = sorted.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		const at = sorted[middle];
		if (at !== undefined && at < key) low = middle + 1;
		else high = middle;
	}
	return low;
}
