/** The tables of the embedded store, with all reads and writes. */
import { chmodSync, existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Database, open, type RootDatabase } from "lmdb";
import { ApiError, messageOf } from "../../core/errors.ts";
import { makeFolder } from "../../linux/make-folder.ts";
import type { Change, Entry } from "../store.ts";
import type { CommitRecord } from "../watches.ts";
import { dataFileProblem } from "./data-file.ts";
import { decodePointer, decodeRecord, encodePointer, logKey, type Pointer, revisionOf } from "./records.ts";

/**
 * The format that is written. Format 2 records the size of the history; that of a store in format 1 is computed once.
 */
export const newestFormat = 2;
/** History is read in chunks of this many bytes. */
const pieceBytes = 8 * 1024 * 1024;

/** The number of entries per transaction of a rebuild. */
const copiedAtOnce = 256;

/** The writes of one transaction. */
export interface Written {
	revision: number;
	compacted: number;
	/** Key → its newest record; undefined when it is deleted. */
	pointers: ReadonlyMap<string, Pointer | undefined>;
	/** Log key → record. */
	records: ReadonlyMap<number, Buffer>;
	/** Log keys of records to remove. */
	forgotten: readonly number[];
	/** Size of all records after the compacted revision. */
	historyBytes: number;
}

/** What a compaction up to `revision` removes. */
export interface Superseded {
	revision: number;
	/** Log keys. */
	records: number[];
	/** Size of all records of these revisions, including those that are kept. */
	bytes: number;
}

interface LmdbTree {
	treeBranchPageCount: number;
	treeLeafPageCount: number;
	overflowPages: number;
}

interface LmdbStats extends LmdbTree {
	pageSize: number;
	lastPageNumber: number;
	free: LmdbTree;
}

export class Tables {
	readonly #root: RootDatabase;
	/** `format`, `revision`, `compacted`, `historyBytes`. */
	readonly #meta: Database<number, string>;
	readonly #index: Database<Buffer, string>;
	readonly #log: Database<Buffer, number>;

	/** @throws ApiError InternalError if the folder's store is damaged or has a newer format */
	constructor(folder: string, flush: boolean) {
		// Without overlapping syncs, a transaction is neither acknowledged nor visible before it is on disk. Without
		// batching by turns of the event loop, every transaction is one that is begun below and reports its errors there.
		const path = join(folder, "store");
		checkDataFile(join(path, "data.mdb"));
		makeFolder(path, 0o700);
		this.#root = open({ path, maxDbs: 4, overlappingSync: false, eventTurnBatching: false, noSync: !flush });
		// LMDB creates its files with permissions that depend on the umask.
		for (const name of ["data.mdb", "lock.mdb"]) chmodSync(join(path, name), 0o600);
		this.#meta = this.#root.openDB({ name: "meta", encoding: "json" });
		this.#index = this.#root.openDB({ name: "index", encoding: "binary" });
		this.#log = this.#root.openDB({ name: "log", encoding: "binary" });
		const found = this.#meta.get("format");
		if (found !== undefined && found > newestFormat) {
			void this.#root.close();
			throw new ApiError(
				"InternalError",
				`the store in ${folder} was written by a newer version of cox (format ${found}, this one reads up to ${newestFormat}); use that version`,
			);
		}
	}

	close(): Promise<void> {
		return this.#root.close();
	}

	/** Copies the state at the time of the call into `data.mdb` of a folder, page by page. */
	async copyTo(folder: string): Promise<void> {
		// Without compaction: writing large values to a compacted copy crashes the process (seen with lmdb 3.5.6).
		await this.#root.backup(folder, false);
		chmodSync(join(folder, "data.mdb"), 0o600);
	}

	/**
	 * Copies everything into the store of an empty folder, entry by entry. Nothing may be written here until it is done.
	 */
	async rebuildIn(folder: string): Promise<void> {
		const target = new Tables(folder, false);
		try {
			await copyTable(target.#root, this.#meta, target.#meta);
			await copyTable(target.#root, this.#index, target.#index);
			await copyTable(target.#root, this.#log, target.#log);
		} finally {
			await target.close();
		}
	}

	revision(): number {
		return this.#meta.get("revision") ?? 0;
	}

	compacted(): number {
		return this.#meta.get("compacted") ?? 0;
	}

	pointer(key: string): Pointer | undefined {
		const bytes = this.#index.get(key);
		return bytes && decodePointer(bytes);
	}

	/** In key order, consistent within one turn of the event loop, which is the lifetime of a read transaction. */
	*pointers(range: { start: string; end?: string; limit?: number }): Generator<{ key: string; pointer: Pointer }> {
		for (const { key, value } of this.#index.getRange(range)) yield { key, pointer: decodePointer(value) };
	}

	/**
	 * The entry that the index points to.
	 * @param bytes the record, if the caller has it
	 */
	entryAt(key: string, { record }: Pointer, bytes?: Buffer): Entry {
		const entry = this.#entry(key, record, bytes);
		if (entry === undefined) throw new Error(`the index of the store points to no record of ${key}`);
		return entry;
	}

	#entry(key: string, record: number, bytes = this.#log.get(record)): Entry | undefined {
		if (bytes === undefined) return undefined;
		const { value, createRevision } = decodeRecord(bytes);
		return { key, value, modRevision: revisionOf(record), createRevision };
	}

	/** Size of the file's unused pages, which the next transactions use. */
	freeBytes(): number {
		// The library has no types for these: LMDB's own counts, from `mdb_env_info` and `mdb_stat`.
		const [main, meta, index, log] = [this.#root, this.#meta, this.#index, this.#log].map(
			(table) => table.getStats() as LmdbStats,
		) as [LmdbStats, LmdbStats, LmdbStats, LmdbStats];
		// The first two pages contain the roots of the trees.
		const used = [main, main.free, meta, index, log].reduce((sum, tree) => sum + pageCount(tree), 2);
		return Math.max(0, main.lastPageNumber + 1 - used) * main.pageSize;
	}

	/** Size of all records after the compacted revision. */
	historyBytes(): number {
		const counted = this.#meta.get("historyBytes");
		if (counted !== undefined) return counted;
		let bytes = 0;
		for (const { value } of this.#log.getRange({ start: logKey(this.compacted() + 1, 0) })) bytes += value.length;
		return bytes;
	}

	/** Up to `limit` commits within a range of revisions; fewer if they are large. */
	history(afterRevision: number, to: number, limit: number): CommitRecord[] {
		const start = logKey(afterRevision + 1, 0);
		const records: { revision: number; changes: Change[] }[] = [];
		let bytes = 0;
		for (const { key, value } of this.#log.getRange({ start, end: logKey(to + 1, 0) })) {
			const revision = revisionOf(key);
			let record = records.at(-1);
			if (record?.revision !== revision) {
				if (records.length >= limit || bytes > pieceBytes) break;
				record = { revision, changes: [] };
				records.push(record);
			}
			record.changes.push(this.#change(revision, value));
			bytes += value.length;
		}
		return records;
	}

	#change(revision: number, bytes: Buffer): Change {
		const { type, key, value, createRevision, previous: before } = decodeRecord(bytes);
		const previous = before === 0 ? undefined : this.#entry(key, before);
		if (type === "delete") return { type, key, revision, ...(previous && { previous }) };
		return { type, key, value, revision, createRevision, ...(previous && { previous }) };
	}

	/**
	 * The records that become superfluous with a compaction: superseded ones, and deletes.
	 * @param range revisions after `from`, at least up to `to`, and further until `bytes` are freed or this number of
	 * `records` is found, but not after `last`
	 */
	superseded(range: { from: number; to: number; bytes: number; records: number; last: number }): Superseded {
		const { from, to, bytes, records, last } = range;
		const found: Superseded = { revision: from, records: [], bytes: 0 };
		if (from >= last || (from >= to && bytes <= 0)) return found;
		for (const { key, value } of this.#log.getRange({ start: logKey(from + 1, 0), end: logKey(last + 1, 0) })) {
			const revision = revisionOf(key);
			const isEnough = found.bytes >= bytes || found.records.length >= records;
			if (revision > to && revision > found.revision && isEnough) break;
			const { previous, type } = decodeRecord(value);
			if (previous !== 0) found.records.push(previous);
			if (type === "delete") found.records.push(key);
			found.bytes += value.length;
			found.revision = revision;
		}
		found.revision = Math.max(found.revision, Math.min(to, last));
		return found;
	}

	/**
	 * Resolves when everything is on disk.
	 * @throws ApiError InternalError: nothing was written
	 */
	async write({ revision, compacted, pointers, records, forgotten, historyBytes }: Written): Promise<void> {
		await this.#transaction((written) => {
			for (const [key, pointer] of pointers)
				written(pointer === undefined ? this.#index.remove(key) : this.#index.put(key, encodePointer(pointer)));
			for (const [key, bytes] of records) written(this.#log.put(key, bytes));
			for (const key of forgotten) written(this.#log.remove(key));
			written(this.#meta.put("format", newestFormat));
			written(this.#meta.put("revision", revision));
			written(this.#meta.put("compacted", compacted));
			written(this.#meta.put("historyBytes", historyBytes));
		});
	}

	/** Everything that `write` passes to `written` has been written when this resolves, or nothing. */
	async #transaction(write: (written: (outcome: Promise<boolean>) => void) => void): Promise<void> {
		// The writes of a transaction share one or two promises, all of which reject if it fails.
		const outcomes = new Set<Promise<boolean>>();
		const all = this.#root.batch(() => write((outcome) => outcomes.add(outcome)));
		const settled = await Promise.allSettled([all, ...outcomes]);
		for (const result of settled) if (result.status === "rejected") throw await writeFailure(result.reason);
	}
}

function pageCount({ treeBranchPageCount, treeLeafPageCount, overflowPages }: LmdbTree): number {
	return treeBranchPageCount + treeLeafPageCount + overflowPages;
}

/** In transactions of limited size. */
async function copyTable<Value, Key extends string | number>(
	root: RootDatabase,
	from: Database<Value, Key>,
	to: Database<Value, Key>,
): Promise<void> {
	for (let last: Key | undefined; ; ) {
		const range = last === undefined ? {} : { start: last, exclusiveStart: true };
		const entries = [...from.getRange({ ...range, limit: copiedAtOnce })];
		await root.batch(() => {
			for (const { key, value } of entries) void to.put(key, value);
		});
		last = entries.at(-1)?.key;
		if (entries.length < copiedAtOnce) return;
	}
}

/**
 * LMDB would crash the process when reading a damaged file.
 * @throws ApiError InternalError that describes the problem and what to do
 */
function checkDataFile(file: string): void {
	const problem = existsSync(file) && statSync(file).size > 0 ? dataFileProblem(file) : undefined;
	if (problem !== undefined)
		throw new ApiError(
			"InternalError",
			`the store's file ${file} is damaged: ${problem}; put back a copy of it, restore a snapshot ('cox snapshot restore FILE --force'), or give up what was in it ('cox reset')`,
		);
}

/** @param error of lmdb, whose promise `commitError` rejects with the cause in the same turn of the event loop */
async function writeFailure(error: unknown): Promise<ApiError> {
	let cause = error;
	if (error instanceof Error && "commitError" in error) {
		const turn = new Promise<unknown>((resolve) => setImmediate(() => resolve(error)));
		cause = await Promise.race([Promise.resolve(error.commitError).catch((reason: unknown) => reason), turn]);
	}
	const text = messageOf(cause);
	return new ApiError("InternalError", `the store could not write to its disk, nothing was changed: ${text}`);
}
