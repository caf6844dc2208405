/** Who gives something up when all together take too much: those who take most. Pure. */

/** Of what is kept for a namespace, and in it for a workload. */
export interface Share {
	namespace: string;
	/** In the namespace: a CronJob, or all Jobs that no CronJob made, whose names are often made up again for each. */
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
 * What goes so that `excess` less is taken: each time of the namespace that takes most, and there of the workload that
 * takes most, the first. Workloads that use less than others lose nothing to them.
 * @param items those of one workload in the order in which they go
 * @param sizeOf what one takes; what takes nothing stays
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
	// The first is the last, to be taken from there.
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
