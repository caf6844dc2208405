/**
 * A map that keeps only its most recently used entries: between half of the limit and the limit. A used entry moves to
 * the younger of two generations; when that is full, the older one is dropped.
 */
export class Recent<V> {
	readonly #generationSize: number;
	#younger = new Map<string, V>();
	#older: ReadonlyMap<string, V> = new Map();

	constructor(limit: number) {
		this.#generationSize = limit / 2;
	}

	get(key: string): V | undefined {
		const value = this.#younger.get(key);
		if (value !== undefined) return value;
		const older = this.#older.get(key);
		if (older !== undefined) this.set(key, older);
		return older;
	}

	set(key: string, value: V): void {
		this.#younger.set(key, value);
		if (this.#younger.size < this.#generationSize) return;
		this.#older = this.#younger;
		this.#younger = new Map();
	}
}
