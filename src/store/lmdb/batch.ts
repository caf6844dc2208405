/** One transaction of the embedded store: decides on its commits, before anything is written. */

import type { Change, Commit, CommitResult, Entry } from "../store.ts";
import type { CommitRecord } from "../watches.ts";
import { encodeRecord, logKey, type Pointer, revisionOf } from "./records.ts";
import type { Tables } from "./tables.ts";

/** The state of the tables combined with the writes of the commits so far. */
export class Batch {
	/** Key → its newest record; undefined when it is deleted. */
	readonly pointers = new Map<string, Pointer | undefined>();
	/** Log key → record. */
	readonly records = new Map<number, Buffer>();
	/** The commits that change something, in order. */
	readonly published: CommitRecord[] = [];
	/** Of all records. */
	bytes = 0;
	readonly #tables: Tables;
	#revision: number;

	/** @param revision the newest of the tables */
	constructor(tables: Tables, revision: number) {
		this.#tables = tables;
		this.#revision = revision;
	}

	/** The revision of the newest commit. */
	get revision(): number {
		return this.#revision;
	}

	/** Decides on the next commit: checks its conditions, and adds its writes if they hold. */
	add(commit: Commit): CommitResult {
		const current = commit.compare.map(({ key }) => this.#pointer(key));
		const holds = commit.compare.every(({ modRevision }, index) => {
			const pointer = current[index];
			return (pointer === undefined ? 0 : revisionOf(pointer.record)) === modRevision;
		});
		if (!holds) {
			const entries = commit.compare.map(({ key }, index) => this.#entry(key, current[index]));
			return { ok: false, current: entries };
		}
		const changes = this.#changes(commit);
		if (changes.length > 0) this.published.push({ revision: ++this.#revision, changes });
		return { ok: true, revision: this.#revision };
	}

	#changes({ puts, deletes }: Commit): Change[] {
		const revision = this.#revision + 1;
		const changes: Change[] = [];
		const add = (key: string, value: Uint8Array | undefined) => {
			const pointer = this.#pointer(key);
			if (pointer === undefined && value === undefined) return;
			const previous = this.#entry(key, pointer);
			const record = logKey(revision, changes.length);
			const createRevision = value === undefined ? 0 : (pointer?.createRevision ?? revision);
			const type = value === undefined ? "delete" : "put";
			const bytes = encodeRecord({
				type,
				key,
				value: value ?? new Uint8Array(),
				createRevision,
				previous: pointer?.record ?? 0,
			});
			this.records.set(record, bytes);
			this.bytes += bytes.length;
			this.pointers.set(key, value === undefined ? undefined : { record, createRevision });
			const before = previous && { previous };
			if (value === undefined) changes.push({ type: "delete", key, revision, ...before });
			else changes.push({ type: "put", key, value, revision, createRevision, ...before });
		};
		for (const { key, value } of puts) add(key, value);
		for (const key of deletes) add(key, undefined);
		return changes;
	}

	#pointer(key: string): Pointer | undefined {
		return this.pointers.has(key) ? this.pointers.get(key) : this.#tables.pointer(key);
	}

	#entry(key: string, pointer: Pointer | undefined): Entry | undefined {
		return pointer && this.#tables.entryAt(key, pointer, this.records.get(pointer.record));
	}
}
