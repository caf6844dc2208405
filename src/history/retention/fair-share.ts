/** Decides who must give up space when the total exceeds a limit: those who use most. Pure. */

/** Something that is kept for a workload of a namespace. */
export interface Share {
	namespace: string;
	/**
	 * A CronJob, or all Jobs of the namespace that were not created by a CronJob, because their names are often
	 * generated.
	 */
	workload: string;
}

class Holder<T> {
	size = 0;
	readonly items: T[] = [];
	readonly parts = new Map<string, Holder<T>>();

	part(name: string): Holder<T> {
		const found = this.parts.get(name) ?? new Holder<T>();
		this.parts.set(name, found);
		return found;
	}

	get largest(): Holder<T> | undefined {
		let largest: Holder<T> | undefined;
		for (const part of this.parts.values()) if (part.size > (largest?.size ?? 0)) largest = part;
		return largest;
	}
}

/**
 * The items to remove so that the total decreases by `excess`: repeatedly the first item of the largest workload of the
 * largest namespace. Workloads that use less than others lose nothing to them.
 * @param items those of one workload in the order of their removal
 * @param sizeOf size of an item; items of size 0 are kept
 */
export function surrendered<T extends Share>(items: Iterable<T>, excess: number, sizeOf: (item: T) => number): T[] {
	const all = new Holder<T>();
	for (const item of items) {
		const size = sizeOf(item);
		if (size <= 0) continue;
		const namespace = all.part(item.namespace);
		const workload = namespace.part(item.workload);
		namespace.size += size;
		workload.size += size;
		workload.items.push(item);
	}
	// Reversed, so that items are removed from the end of the array.
	for (const namespace of all.parts.values()) for (const { items } of namespace.parts.values()) items.reverse();
	const found: T[] = [];
	for (let left = excess; left > 0; ) {
		const namespace = all.largest;
		const workload = namespace?.largest;
		const item = workload?.items.pop();
		if (namespace === undefined || workload === undefined || item === undefined) break;
		const size = sizeOf(item);
		namespace.size -= size;
		workload.size -= size;
		left -= size;
		found.push(item);
	}
	return found;
}
