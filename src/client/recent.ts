/** A map that remembers its last-used entries only. */
export class Recent<V> {
	readonly #limit: number;
	readonly #entries = new Map<string, V>();

	constructor(limit: number) {
		this.#limit = limit;
	}

	get(key: string): V | undefined {
		const value = this.#entries.get(key);
		if (value === undefined) return undefined;
		this.#entries.delete(key);
		this.#entries.set(key, value);
		return value;
	}

	set(key: string, value: V): void {
		this.#entries.delete(key);
		this.#entries.set(key, value);
		if (this.#entries.size <= this.#limit) return;
		for (const oldest of this.#entries.keys()) {
			this.#entries.delete(oldest);
			return;
		}
	}
}
