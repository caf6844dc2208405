import { deleteCost, largestCommit, putCost } from "../commit-size.ts";
import type { Commit, Store } from "../store.ts";

/** Wraps a store, and reports each commit that a store could refuse because of its size. */
export function withinBounds(store: Store, tooLarge: (what: string) => void): Store {
	return {
		revision: () => store.revision(),
		get: (key) => store.get(key),
		range: (options) => store.range(options),
		commit(commit) {
			const { operations, bytes } = sizeOf(commit);
			if (operations > largestCommit.operations || bytes > largestCommit.bytes) {
				const first = commit.puts[0]?.key ?? commit.deletes[0];
				tooLarge(`a commit of ${operations} operations and ${bytes} bytes, of ${first} first`);
			}
			return store.commit(commit);
		},
		watch: (options, sink) => store.watch(options, sink),
		compact: (revision) => store.compact(revision),
		close: () => store.close(),
	};
}

function sizeOf({ compare, puts, deletes }: Commit): { operations: number; bytes: number } {
	let bytes = 0;
	for (const put of puts) bytes += putCost(put).bytes;
	for (const key of deletes) bytes += deleteCost(key).bytes;
	return { operations: Math.max(puts.length + deletes.length, compare.length), bytes };
}
