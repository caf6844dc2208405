/** A store that forgets everything at its end: for tests, simulations and clusters that need not last. */
import { SortedKeys } from "./keys.ts";
import { type Change, type Commit, type CommitResult, checkCommit, type Entry, type Store } from "./store.ts";
import { type CommitRecord, Watches } from "./watches.ts";

/**
 * An empty store. Nothing in it waits: every promise it returns is settled already, so a simulation on a virtual clock
 * takes the same steps every time.
 * @param options.historyCommits how many commits a watch can go back at least
 */
export function createMemoryStore(options: { historyCommits?: number } = {}): Store {
	const historyCommits = options.historyCommits ?? 4096;
	const entries = new Map<string, Entry>();
	const keys = new SortedKeys();
	let revision = 0;
	let compactedRevision = 0;
	/** Commits after compactedRevision: one for each revision, so that a revision gives its index. */
	let history: CommitRecord[] = [];

	const watches = new Watches({
		compactedRevision: () => compactedRevision,
		newestRevision: () => revision,
		read: (afterRevision, limit) => {
			const start = Math.max(afterRevision - compactedRevision, 0);
			return history.slice(start, start + limit);
		},
	});

	function forget(upTo: number): void {
		if (upTo <= compactedRevision) return;
		history = history.slice(upTo - compactedRevision);
		compactedRevision = upTo;
	}

	/** Returns the revision written, or the present one when nothing was there to delete. */
	function write({ puts, deletes }: Commit): number {
		const next = revision + 1;
		const changes = puts.map(({ key, value }): Change => {
			const previous = entries.get(key);
			const createRevision = previous?.createRevision ?? next;
			entries.set(key, { key, value, modRevision: next, createRevision });
			if (previous === undefined) keys.add(key);
			return { type: "put", key, value, revision: next, createRevision, previous };
		});
		for (const key of deletes) {
			const previous = entries.get(key);
			if (previous === undefined) continue;
			entries.delete(key);
			keys.remove(key);
			changes.push({ type: "delete", key, revision: next, previous });
		}
		if (changes.length === 0) return revision;
		revision = next;
		const record = { revision, changes };
		history.push(record);
		// In strides, so that the cost of moving the array is spread over many commits.
		if (history.length > historyCommits * 1.5) forget(revision - historyCommits);
		watches.deliver(record);
		return next;
	}

	return {
		revision: async () => revision,
		get: async (key) => entries.get(key),
		async range({ from, to, limit = Number.POSITIVE_INFINITY }) {
			const found = keys.slice(from, to, limit + 1);
			const more = found.length > limit;
			if (more) found.pop();
			const ranged: Entry[] = [];
			for (const key of found) {
				const entry = entries.get(key);
				if (entry !== undefined) ranged.push(entry);
			}
			return { entries: ranged, revision, more };
		},
		async commit(commit): Promise<CommitResult> {
			checkCommit(commit);
			const holds = commit.compare.every(
				({ key, modRevision }) => (entries.get(key)?.modRevision ?? 0) === modRevision,
			);
			if (!holds) return { ok: false, current: commit.compare.map(({ key }) => entries.get(key)) };
			return { ok: true, revision: write(commit) };
		},
		watch: (options, sink) => watches.add(options, sink),
		async compact(upTo) {
			forget(Math.min(upTo, revision));
		},
		async close() {
			watches.end(new Error("the store was closed"));
		},
	};
}
