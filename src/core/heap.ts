/** A binary heap: the first by `before` comes out first. Adding and taking cost the logarithm of the size. */
export class Heap<T> {
	#items: T[] = [];
	readonly #before: (left: T, right: T) => boolean;

	constructor(before: (left: T, right: T) => boolean) {
		this.#before = before;
	}

	get size(): number {
		return this.#items.length;
	}

	/** What comes out next. */
	get first(): T | undefined {
		return this.#items[0];
	}

	/** Takes out all but these. */
	keep(isKept: (item: T) => boolean): void {
		const kept = this.#items.filter(isKept);
		this.#items = [];
		for (const item of kept) this.push(item);
	}

	push(item: T): void {
		const items = this.#items;
		let index = items.push(item) - 1;
		while (index > 0) {
			const parent = (index - 1) >> 1;
			const above = items[parent];
			if (above === undefined || !this.#before(item, above)) break;
			items[index] = above;
			index = parent;
		}
		items[index] = item;
	}

	pop(): T | undefined {
		const items = this.#items;
		const [first] = items;
		const last = items.pop();
		if (last === undefined || items.length === 0) return first;
		let index = 0;
		for (;;) {
			let child = 2 * index + 1;
			const left = items[child];
			if (left === undefined) break;
			const right = items[child + 1];
			let least = left;
			if (right !== undefined && this.#before(right, left)) {
				least = right;
				child++;
			}
			if (!this.#before(least, last)) break;
			items[index] = least;
			index = child;
		}
		items[index] = last;
		return first;
	}
}
