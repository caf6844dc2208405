/** A store that stores values in another form, such as encrypted. */
import type { Change, CommitResult, Entry, Store } from "./store.ts";

/** Both directions depend on the key, so that a value that was moved to another key cannot be read. */
export interface ValueTransform {
	/** Whether values of the key are transformed. */
	concerns(key: string): boolean;
	/** The stored form of a value whose key is transformed. */
	seal(key: string, value: Uint8Array): Uint8Array;
	/** Whether a stored value is transformed, even if its key no longer is. */
	isSealed(found: Uint8Array): boolean;
	/**
	 * @throws ApiError InternalError if the stored form was made for another key, or with a secret that is not available
	 */
	open(key: string, sealed: Uint8Array): Uint8Array;
}

/**
 * Wraps a store: values are transformed on their way. A watch returns the values of this process's commits as the same
 * bytes that were committed, like any store.
 */
export function transformStore(store: Store, transform: ValueTransform): Store {
	/** Committed values by their stored form. */
	const own = new WeakMap<Uint8Array, Uint8Array>();
	const open = (key: string, value: Uint8Array) => own.get(value) ?? transform.open(key, value);
	const seal = (put: { key: string; value: Uint8Array }) => {
		if (!transform.concerns(put.key)) return put;
		const value = transform.seal(put.key, put.value);
		own.set(value, put.value);
		return { key: put.key, value };
	};
	const entry = (found: Entry): Entry => {
		if (!transform.isSealed(found.value)) return found;
		const { key, value, modRevision, createRevision } = found;
		return { key, value: open(key, value), modRevision, createRevision };
	};
	const isConcerned = (change: Change) =>
		(change.type === "put" && transform.isSealed(change.value)) ||
		(change.previous !== undefined && transform.isSealed(change.previous.value));
	const change = (found: Change): Change => {
		if (!isConcerned(found)) return found;
		const { key, revision } = found;
		const previous = found.previous && openedWhenRead(found.previous);
		if (found.type === "delete") return { type: "delete", key, revision, ...(previous && { previous }) };
		const value = transform.isSealed(found.value) ? open(key, found.value) : found.value;
		return { type: "put", key, value, revision, createRevision: found.createRevision, previous };
	};
	/** The previous value is rarely read. */
	const openedWhenRead = (found: Entry): Entry => ({
		key: found.key,
		get value() {
			return transform.isSealed(found.value) ? open(found.key, found.value) : found.value;
		},
		modRevision: found.modRevision,
		createRevision: found.createRevision,
	});

	return {
		revision: () => store.revision(),
		async get(key) {
			const found = await store.get(key);
			return found && entry(found);
		},
		async range(options) {
			const { entries, revision, more } = await store.range(options);
			return { entries: entries.map(entry), revision, more };
		},
		commit(commit) {
			// Most commits contain no transformed values, and pass unchanged.
			if (!commit.puts.some(({ key }) => transform.concerns(key))) return openedResult(store.commit(commit), entry);
			return openedResult(store.commit({ ...commit, puts: commit.puts.map(seal) }), entry);
		},
		watch: (options, sink) =>
			store.watch(options, {
				changes: (changes) => sink.changes(changes.some(isConcerned) ? changes.map(change) : changes),
				end: (error) => sink.end(error),
			}),
		compact: (revision) => store.compact(revision),
		close: () => store.close(),
	};
}

async function openedResult(committed: Promise<CommitResult>, entry: (found: Entry) => Entry): Promise<CommitResult> {
	const result = await committed;
	return result.ok ? result : { ok: false, current: result.current.map((found) => found && entry(found)) };
}
