/** The tables of the embedded store, and all that reads and writes them. */
import { chmodSync, existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Database, open, type RootDatabase } from "lmdb";
import { ApiError, messageOf } from "../core/errors.ts";
import { dataFileProblem } from "./data-file.ts";
import { decodePointer, decodeRecord, encodePointer, logKey, type Pointer, revisionOf } from "./records.ts";
import type { Change, Entry } from "./store.ts";
import type { CommitRecord } from "./watches.ts";

/** The format that is written. 2 counts the bytes of history; a store of format 1 is counted once. */
export const newestFormat = 2;
/** History is read in chunks of this many bytes. */
const pieceBytes = 8 * 1024 * 1024;

/** Entries that one transaction of a rebuild writes. */
const copiedAtOnce = 256;

/** What one transaction writes. */
export interface Written {
	revision: number;
	compacted: number;
	/** Key → its newest record; undefined when it is deleted. */
	pointers: ReadonlyMap<string, Pointer | undefined>;
	/** Log key → record. */
	records: ReadonlyMap<number, Buffer>;
	/** Log keys of records to be removed. */
	forgotten: readonly number[];
	/** Of all records after the compacted revision. */
	historyBytes: number;
}

/** What is forgotten with revisions up to `revision`. */
export interface Superseded {
	revision: number;
	/** Log keys. */
	records: number[];
	/** Of all records of these revisions, also of those that stay. */
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

	/** @throws ApiError InternalError when the folder's store is damaged or of a newer format */
	constructor(folder: string, flush: boolean) {
		// Without overlapping syncs a transaction is neither acknowledged nor visible before it is on disk.
		// Without batching by turns of the event loop every transaction is one that is begun below, and fails nowhere else.
		const path = join(folder, "store");
		checkDataFile(join(path, "data.mdb"));
		mkdirSync(path, { recursive: true, mode: 0o700 });
		this.#root = open({ path, maxDbs: 4, overlappingSync: false, eventTurnBatching: false, noSync: !flush });
		// LMDB makes its files with the rights that the umask leaves.
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

	/** Writes what was committed when this was called into `data.mdb` of a folder, page by page. */
	async copyTo(folder: string): Promise<void> {
		// Not compacting: a write to such a copy of large values ends the process (seen with lmdb 3.5.6).
		await this.#root.backup(folder, false);
		chmodSync(join(folder, "data.mdb"), 0o600);
	}

	/**
	 * Writes everything into the store of an empty folder, entry by entry. Nothing may be written here until it is done.
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

	/** In key order, as long as the event loop is not left: one read transaction lasts for a turn of it. */
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

	/** What the file has in pages that nothing is in any more, which the next transactions use. */
	freeBytes(): number {
		// Untyped by the library: these are LMDB's own counts, of `mdb_env_info` and `mdb_stat`.
		const [main, meta, index, log] = [this.#root, this.#meta, this.#index, this.#log].map(
			(table) => table.getStats() as LmdbStats,
		) as [LmdbStats, LmdbStats, LmdbStats, LmdbStats];
		// The first two pages say where the trees begin.
		const used = [main, main.free, meta, index, log].reduce((sum, tree) => sum + pageCount(tree), 2);
		return Math.max(0, main.lastPageNumber + 1 - used) * main.pageSize;
	}

	/** Bytes of all records after the compacted revision. */
	historyBytes(): number {
		const counted = this.#meta.get("historyBytes");
		if (counted !== undefined) return counted;
		let bytes = 0;
		for (const { value } of this.#log.getRange({ start: logKey(this.compacted() + 1, 0) })) bytes += value.length;
		return bytes;
	}

	/** Up to `limit` commits after one revision, up to another; fewer when they are large. */
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
	 * What is superfluous when history is forgotten: each record that was superseded, and deletes.
	 * @param range revisions after `from`; up to `to` in any case, further until `bytes` are freed or so many `records`
	 * are found, but not after `last`
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

	/** Resolves when everything is on disk. @throws ApiError InternalError: then nothing was written */
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

	/** Everything that `write` hands to `written` is written, or nothing, once this resolves. */
	async #transaction(write: (written: (outcome: Promise<boolean>) => void) => void): Promise<void> {
		// The writes of a transaction share one or two promises, all of which fail when it does.
		const outcomes = new Set<Promise<boolean>>();
		const all = this.#root.batch(() => write((outcome) => outcomes.add(outcome)));
		const settled = await Promise.allSettled([all, ...outcomes]);
		for (const result of settled) if (result.status === "rejected") throw await writeFailure(result.reason);
	}
}

function pageCount({ treeBranchPageCount, treeLeafPageCount, overflowPages }: LmdbTree): number {
	return treeBranchPageCount + treeLeafPageCount + overflowPages;
}

/** In transactions of a bounded size. */
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
 * A damaged file would end the process as soon as LMDB reads it.
 * @throws ApiError InternalError that says what is wrong and what to do
 */
function checkDataFile(file: string): void {
	const problem = existsSync(file) && statSync(file).size > 0 ? dataFileProblem(file) : undefined;
	if (problem !== undefined)
		throw new ApiError(
			"InternalError",
			`the store's file ${file} is damaged: ${problem}; put back a copy of it, restore a snapshot ('cox snapshot restore FILE --force'), or give up what was in it ('cox reset')`,
		);
}

/** @param error lmdb's, whose promise `commitError` rejects with the cause in the same turn of the event loop */
async function writeFailure(error: unknown): Promise<ApiError> {
	let cause = error;
	if (error instanceof Error && "commitError" in error) {
		const turn = new Promise<unknown>((resolve) => setImmediate(() => resolve(error)));
		cause = await Promise.race([Promise.resolve(error.commitError).catch((reason: unknown) => reason), turn]);
	}
	const text = messageOf(cause);
	return new ApiError("InternalError", `the store could not write to its disk, nothing was changed: ${text}`);
}
