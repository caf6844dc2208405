/** Sets of completion indexes in the form of `status.completedIndexes`: `1,3-5,7`. */

interface Interval {
	first: number;
	last: number;
}

/** Immutable. Stores intervals, so that a Job with many indexes uses little memory. */
export class IndexSet {
	static readonly empty = new IndexSet([]);
	readonly #intervals: readonly Interval[];
	readonly size: number;

	private constructor(intervals: readonly Interval[]) {
		this.#intervals = intervals;
		this.size = intervals.reduce((sum, { first, last }) => sum + last - first + 1, 0);
	}

	/** Parses a status or a policy. Ignores indexes from `limit` on, and what is not a number. */
	static parse(text: string | undefined, limit: number): IndexSet {
		const intervals: Interval[] = [];
		for (const part of (text ?? "").split(",")) {
			const match = /^(\d+)(?:-(\d+))?$/.exec(part);
			if (match === null) continue;
			const first = Number(match[1]);
			const last = Math.min(Number(match[2] ?? match[1]), limit - 1);
			if (first <= last) intervals.push({ first, last });
		}
		return new IndexSet(merged(intervals));
	}

	static of(indexes: Iterable<number>): IndexSet {
		return new IndexSet(merged([...indexes].map((index) => ({ first: index, last: index }))));
	}

	has(index: number): boolean {
		let [low, high] = [0, this.#intervals.length - 1];
		while (low <= high) {
			const middle = (low + high) >> 1;
			const interval = this.#intervals[middle];
			if (interval === undefined) return false;
			if (index < interval.first) high = middle - 1;
			else if (index > interval.last) low = middle + 1;
			else return true;
		}
		return false;
	}

	*members(): Generator<number> {
		for (const { first, last } of this.#intervals) for (let index = first; index <= last; index++) yield index;
	}

	union(other: IndexSet): IndexSet {
		if (other.size === 0) return this;
		if (this.size === 0) return other;
		return new IndexSet(merged([...this.#intervals, ...other.#intervals]));
	}

	/** The number of indexes in both sets. */
	common(other: IndexSet): number {
		let count = 0;
		let place = 0;
		for (const mine of this.#intervals) {
			for (; place < other.#intervals.length; place++) {
				const theirs = other.#intervals[place];
				if (theirs === undefined || theirs.first > mine.last) break;
				count += Math.max(Math.min(mine.last, theirs.last) - Math.max(mine.first, theirs.first) + 1, 0);
				if (theirs.last > mine.last) break;
			}
		}
		return count;
	}

	/** The lowest `count` indexes below `limit` that are not in the set. */
	firstMissing(count: number, limit: number): number[] {
		const missing: number[] = [];
		let next = 0;
		for (const { first, last } of [...this.#intervals, { first: limit, last: limit }]) {
			for (; next < Math.min(first, limit) && missing.length < count; next++) missing.push(next);
			next = last + 1;
		}
		return missing;
	}

	toString(): string {
		// Two adjacent indexes are written separately: `3,4`; three with a hyphen: `3-5`.
		return this.#intervals
			.map(({ first, last }) => (first === last ? `${first}` : `${first}${first + 1 === last ? "," : "-"}${last}`))
			.join(",");
	}
}

/** Sorted, with adjacent and overlapping intervals joined. */
function merged(intervals: readonly Interval[]): Interval[] {
	const result: Interval[] = [];
	for (const interval of [...intervals].sort((left, right) => left.first - right.first)) {
		const before = result.at(-1);
		if (before !== undefined && interval.first <= before.last + 1) before.last = Math.max(before.last, interval.last);
		else result.push({ ...interval });
	}
	return result;
}
