/** A store without persistence: for tests, simulations and clusters that need none. */
import { SortedKeys } from "./keys.ts";
import { type Change, type Commit, type CommitResult, checkCommit, type Entry, type Store } from "./store.ts";
import { type CommitRecord, Watches } from "./watches.ts";

export interface MemoryStoreOptions {
	/** The number of commits that a watch can go back, within the limit of bytes. */
	historyCommits?: number;
	/** The size of superseded values that are kept for that. */
	historyBytes?: number;
	/** What it begins with, without history, and the last revision that was used. Default: nothing. */
	contents?: { entries: readonly Entry[]; revision: number };
}

/**
 * Nothing in this store waits: every promise that it returns is already settled, so a simulation on a virtual
 * clock takes the same steps every time.
 */
export function createMemoryStore(options: MemoryStoreOptions = {}): Store {
	const { historyCommits = 4096, historyBytes = 32 * 1024 * 1024, contents } = options;
	const entries = new Map<string, Entry>();
	const keys = new SortedKeys();
	for (const entry of contents?.entries ?? []) {
		entries.set(entry.key, entry);
		keys.add(entry.key);
	}
	let revision = contents?.revision ?? 0;
	let compactedRevision = revision;
	/** Commits after compactedRevision: one for each revision, so that a revision gives its index. */
	const history: CommitRecord[] = [];
	let heldBytes = 0;

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
		for (const record of history.splice(0, upTo - compactedRevision)) heldBytes -= supersededBytes(record);
		compactedRevision = upTo;
	}

	/** Discards the oldest commits until an eighth of the limit is free again. */
	function trim(): void {
		let excess = heldBytes - historyBytes * (7 / 8);
		let count = 0;
		for (; excess > 0 && count < history.length; count++) {
			const record = history[count];
			if (record !== undefined) excess -= supersededBytes(record);
		}
		forget(compactedRevision + count);
	}

	/** Returns the revision written, or the current one if there was nothing to delete. */
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
		heldBytes += supersededBytes(record);
		// In strides, so that the cost of moving the array is spread over many commits.
		if (history.length > historyCommits * 1.5) forget(revision - historyCommits);
		if (heldBytes > historyBytes) trim();
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

/** The size of what only the history retains; current values are kept anyway. */
function supersededBytes({ changes }: CommitRecord): number {
	let bytes = 0;
	for (const { previous } of changes) bytes += previous?.value.length ?? 0;
	return bytes;
}
