/** The maximum size of a commit: writers of many keys divide them. Pure. */

/** The size of a commit that every store accepts. etcd's default limits are 128 operations and 1.5 MiB. */
export const largestCommit = { operations: 120, bytes: 1024 * 1024 } as const;

/** The size of something in a commit. */
export interface CommitCost {
	/** Puts and deletes. */
	operations: number;
	/** Of keys and values. */
	bytes: number;
}

/**
 * Divides items into groups that each fit in one commit, in order. An item that is too large is a group of its own.
 * @param reserved what the caller adds to each commit
 */
export function* inCommits<T>(
	items: Iterable<T>,
	costOf: (item: T) => CommitCost,
	reserved: CommitCost = { operations: 0, bytes: 0 },
): Generator<T[]> {
	let group: T[] = [];
	let { operations, bytes } = reserved;
	for (const item of items) {
		const cost = costOf(item);
		const fits = operations + cost.operations <= largestCommit.operations && bytes + cost.bytes <= largestCommit.bytes;
		if (!fits && group.length > 0) {
			yield group;
			group = [];
			({ operations, bytes } = reserved);
		}
		group.push(item);
		operations += cost.operations;
		bytes += cost.bytes;
	}
	if (group.length > 0) yield group;
}

export function putCost({ key, value }: { key: string; value: Uint8Array }): CommitCost {
	return { operations: 1, bytes: key.length + value.length };
}

export function deleteCost(key: string): CommitCost {
	return { operations: 1, bytes: key.length };
}
