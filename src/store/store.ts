/**
 * The Store seam: an ordered map of keys to bytes with one revision counter, which etcd v3 has and the other
 * implementations provide. ARCHITECTURE.md says who writes to it.
 *
 * Contract, checked by contract.ts on every implementation:
 * - revisions are whole numbers from 1, one for each commit that changes something, never reused, also across restarts;
 * - a commit is all or nothing, and once acknowledged survives kill -9 (not for memory);
 * - a watch delivers every change after its start revision exactly once, in revision order;
 * - a watch or read below the compacted revision fails with ApiError `Expired`.
 */
export interface Entry {
	key: string;
	/** The object's JSON without its resourceVersion, which is `modRevision`. Must not be modified. */
	value: Uint8Array;
	/** Revision of the commit that last wrote the key. */
	modRevision: number;
	/** Revision of the commit that created the key (again). */
	createRevision: number;
}

export type Change =
	| {
			type: "put";
			key: string;
			value: Uint8Array;
			revision: number;
			createRevision: number;
			previous?: Entry | undefined;
	  }
	| { type: "delete"; key: string; revision: number; previous?: Entry };

export interface Commit {
	/** All must hold, or nothing is written: the key's modRevision, 0 for "does not exist". */
	compare: readonly { key: string; modRevision: number }[];
	puts: readonly { key: string; value: Uint8Array }[];
	deletes: readonly string[];
}

export type CommitResult =
	| { ok: true; revision: number }
	/** The current entries of the keys in `compare` (undefined: absent), in order. */
	| { ok: false; current: readonly (Entry | undefined)[] };

export interface RangeOptions {
	/** First key, inclusive. */
	from: string;
	/** End, exclusive; undefined for no end. `prefixEnd(prefix)` gives the end of a prefix. */
	to?: string;
	limit?: number;
}

export interface Store {
	/** The newest revision; what is read after it resolves is at least as new. */
	revision(): Promise<number>;
	get(key: string): Promise<Entry | undefined>;
	/** Entries in key order at the newest revision, which is returned with them. */
	range(options: RangeOptions): Promise<{ entries: Entry[]; revision: number; more: boolean }>;
	commit(commit: Commit): Promise<CommitResult>;
	/**
	 * Delivers the changes of every commit after `afterRevision`, one call per commit (its changes have the same
	 * revision), then each new one as it commits. A commit is delivered before `commit` resolves for its writer if the
	 * store is in this process. `end` is called at most once, with an ApiError `Expired` if `afterRevision` was
	 * compacted, or if the connection to the store is lost; never after `signal` aborts.
	 */
	watch(
		options: { prefix: string; afterRevision: number; signal: AbortSignal },
		sink: { changes(changes: readonly Change[]): void; end(error: Error): void },
	): void;
	/** Discards the history up to and including `revision`; current entries are kept. */
	compact(revision: number): Promise<void>;
	/** After this resolves, nothing is pending and files are closed. */
	close(): Promise<void>;
}

/** The first key after all keys with `prefix`; undefined if there is none. */
export function prefixEnd(prefix: string): string | undefined {
	for (let end = prefix.length - 1; end >= 0; end--) {
		const code = prefix.charCodeAt(end);
		if (code < 0xffff) return prefix.slice(0, end) + String.fromCharCode(code + 1);
	}
	return undefined;
}

/**
 * Asserts that a commit names each key at most once among its puts and deletes, because the order of two writes would
 * matter.
 */
export function checkCommit({ puts, deletes }: Commit): void {
	if (puts.length + deletes.length < 2) return;
	const written = new Set(deletes);
	for (const { key } of puts) written.add(key);
	if (written.size !== puts.length + deletes.length) throw new Error("a commit writes one key twice");
}
