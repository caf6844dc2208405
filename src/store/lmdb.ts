/** The embedded, durable store: one data folder, one process, LMDB underneath. */
import { mkdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { type Database, open, type RootDatabase } from "lmdb";
import { ApiError } from "../core/errors.ts";
import { type FolderLock, lockFolder } from "./folder-lock.ts";
import {
	decodePointer,
	decodeRecord,
	encodePointer,
	encodeRecord,
	logKey,
	type Pointer,
	revisionOf,
} from "./records.ts";
import { type Change, type Commit, type CommitResult, checkCommit, type Entry, type Store } from "./store.ts";
import { type CommitRecord, Watches } from "./watches.ts";

export interface LmdbOptions {
	/** The data folder; made when it is missing. */
	folder: string;
	/** How many commits a watch can go back at least, also after a restart. */
	historyCommits?: number;
}

/** Commits that wait for the disk: more are refused, for they would only wait longer. */
const queueLimit = 20_000;
/** One transaction takes so many commits and bytes, so that the first of them does not wait for the last too long. */
const batchCommits = 2048;
const batchBytes = 16 * 1024 * 1024;
const format = 1;
/** Disk space that a transaction must leave, and what it takes at most besides its values: the pages of three trees. */
const reserveBytes = 1024 * 1024;
const treeBytes = 3 * 4096;

/**
 * Opens the store of a data folder. A commit is acknowledged after its transaction is on disk; commits that arrive while
 * one is being written go into the next one together.
 * @throws ApiError Conflict when another process has the folder, InternalError when it is of another format
 */
export function openLmdbStore(options: LmdbOptions): Store {
	mkdirSync(options.folder, { recursive: true });
	const lock = lockFolder(options.folder);
	try {
		return new LmdbStore(options, lock);
	} catch (error) {
		lock.release();
		throw error;
	}
}

interface Waiting {
	commit: Commit;
	resolve(result: CommitResult): void;
	reject(error: Error): void;
}

/** One transaction in the making: the state of the store with the writes of the commits so far on top. */
interface Batch {
	revision: number;
	pointers: Map<string, Pointer | undefined>;
	records: Map<number, Buffer>;
	published: CommitRecord[];
	results: (() => void)[];
	bytes: number;
}

class LmdbStore implements Store {
	readonly #root: RootDatabase;
	/** `format`, `revision`, `compacted`. */
	readonly #meta: Database<number, string>;
	readonly #index: Database<Buffer, string>;
	readonly #log: Database<Buffer, number>;
	readonly #folder: string;
	readonly #lock: FolderLock;
	readonly #historyCommits: number;
	readonly #watches: Watches;
	#revision: number;
	#compacted: number;
	#queue: Waiting[] = [];
	/** Resolves when the queue has been empty; undefined while nothing is being written. */
	#writing: Promise<void> | undefined;
	#compactTo = 0;
	#closed = false;

	constructor({ folder, historyCommits = 10_000 }: LmdbOptions, lock: FolderLock) {
		this.#folder = folder;
		this.#lock = lock;
		this.#historyCommits = historyCommits;
		// Without overlapping syncs a transaction is neither acknowledged nor visible before it is on disk.
		// Without batching by turns of the event loop every transaction is one that is begun below, and fails nowhere else.
		this.#root = open({ path: join(folder, "store"), maxDbs: 4, overlappingSync: false, eventTurnBatching: false });
		this.#meta = this.#root.openDB({ name: "meta", encoding: "json" });
		this.#index = this.#root.openDB({ name: "index", encoding: "binary" });
		this.#log = this.#root.openDB({ name: "log", encoding: "binary" });
		const found = this.#meta.get("format");
		if (found !== undefined && found !== format)
			throw new ApiError("InternalError", `the store in ${folder} has format ${found}; this version reads ${format}`);
		this.#revision = this.#meta.get("revision") ?? 0;
		this.#compacted = this.#meta.get("compacted") ?? 0;
		this.#watches = new Watches({
			compactedRevision: () => this.#compacted,
			newestRevision: () => this.#revision,
			read: (afterRevision, limit) => this.#history(afterRevision, limit),
		});
	}

	async revision(): Promise<number> {
		return this.#revision;
	}

	async get(key: string): Promise<Entry | undefined> {
		this.#checkOpen();
		const pointer = this.#pointer(key);
		return pointer && this.#entry(key, pointer);
	}

	async range(options: Parameters<Store["range"]>[0]): ReturnType<Store["range"]> {
		this.#checkOpen();
		const { from, to, limit = Number.POSITIVE_INFINITY } = options;
		const range = { start: from, ...(to !== undefined && { end: to }), ...(limit < 2 ** 31 && { limit: limit + 1 }) };
		// Nothing commits while this runs without a pause: one read transaction lasts for a turn of the event loop.
		const entries: Entry[] = [];
		for (const { key, value } of this.#index.getRange(range)) {
			const entry = entries.length <= limit ? this.#entry(key, decodePointer(value)) : undefined;
			if (entry !== undefined) entries.push(entry);
		}
		const more = entries.length > limit;
		if (more) entries.pop();
		return { entries, revision: this.#meta.get("revision") ?? 0, more };
	}

	commit(commit: Commit): Promise<CommitResult> {
		return new Promise((resolve, reject) => {
			this.#checkOpen();
			checkCommit(commit);
			if (this.#queue.length >= queueLimit)
				throw new ApiError("TooManyRequests", "too many writes are waiting for the disk", { retryAfterSeconds: 1 });
			this.#queue.push({ commit, resolve, reject });
			void this.#startWriting();
		});
	}

	watch(...[options, sink]: Parameters<Store["watch"]>): void {
		this.#checkOpen();
		this.#watches.add(options, sink);
	}

	async compact(revision: number): Promise<void> {
		this.#checkOpen();
		this.#compactTo = Math.max(this.#compactTo, Math.min(revision, this.#revision));
		while (this.#compacted < this.#compactTo && !this.#closed) await this.#startWriting();
	}

	async close(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		while (this.#writing !== undefined) await this.#writing;
		this.#watches.end(new Error("the store was closed"));
		await this.#root.close();
		this.#lock.release();
	}

	#checkOpen(): void {
		if (this.#closed) throw new ApiError("ServiceUnavailable", "the store is closed");
	}

	#startWriting(): Promise<void> {
		// Commits that arrive in the same turn of the event loop go along.
		this.#writing ??= Promise.resolve()
			.then(() => this.#writeAll())
			.finally(() => {
				this.#writing = undefined;
				// The first writers to be answered may have come back already.
				if (this.#queue.length > 0) void this.#startWriting();
			});
		return this.#writing;
	}

	async #writeAll(): Promise<void> {
		do {
			const waiting = this.#queue.splice(0, batchCommits);
			const batch = this.#prepare(waiting);
			const compacted = await this.#write(batch).catch((failure: Error) => {
				for (const { reject } of waiting.slice(0, batch.results.length)) reject(failure);
				batch.results.length = 0;
				// Without a transaction there is no progress: compaction is tried again with the next write.
				this.#compactTo = 0;
				return undefined;
			});
			if (compacted === undefined) continue;
			this.#revision = batch.revision;
			this.#compacted = compacted;
			for (const record of batch.published) this.#watches.deliver(record);
			for (const answer of batch.results) answer();
		} while (this.#queue.length > 0);
	}

	/** Decides on commits in their order; those that no longer fit go back to the front of the queue. */
	#prepare(waiting: readonly Waiting[]): Batch {
		const batch: Batch = {
			revision: this.#revision,
			pointers: new Map(),
			records: new Map(),
			published: [],
			results: [],
			bytes: 0,
		};
		for (const [index, { commit, resolve, reject }] of waiting.entries()) {
			if (batch.bytes >= batchBytes) {
				this.#queue.unshift(...waiting.slice(index));
				break;
			}
			try {
				const result = this.#decide(commit, batch);
				batch.results.push(() => resolve(result));
			} catch (error) {
				batch.results.push(() => reject(error instanceof Error ? error : new Error(String(error))));
			}
		}
		return batch;
	}

	#decide(commit: Commit, batch: Batch): CommitResult {
		const holds = commit.compare.every(({ key, modRevision }) => {
			const pointer = this.#pointer(key, batch);
			return (pointer === undefined ? 0 : revisionOf(pointer.record)) === modRevision;
		});
		if (!holds) {
			const current = commit.compare.map(({ key }) => {
				const pointer = this.#pointer(key, batch);
				return pointer && this.#entry(key, pointer, batch);
			});
			return { ok: false, current };
		}
		const changes = this.#changes(commit, batch);
		if (changes.length > 0) batch.published.push({ revision: ++batch.revision, changes });
		return { ok: true, revision: batch.revision };
	}

	/** Puts what a commit writes into the batch. */
	#changes({ puts, deletes }: Commit, batch: Batch): Change[] {
		const revision = batch.revision + 1;
		const changes: Change[] = [];
		const add = (key: string, value: Uint8Array | undefined) => {
			const pointer = this.#pointer(key, batch);
			if (pointer === undefined && value === undefined) return;
			const previous = pointer && this.#entry(key, pointer, batch);
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
			batch.records.set(record, bytes);
			batch.bytes += bytes.length;
			batch.pointers.set(key, value === undefined ? undefined : { record, createRevision });
			const before = previous && { previous };
			if (value === undefined) changes.push({ type: "delete", key, revision, ...before });
			else changes.push({ type: "put", key, value, revision, createRevision, ...before });
		};
		for (const { key, value } of puts) add(key, value);
		for (const key of deletes) add(key, undefined);
		return changes;
	}

	/** Writes a batch, and compacts as much as it makes necessary. Returns the new compacted revision, once on disk. */
	async #write(batch: Batch): Promise<number> {
		const target = Math.max(this.#compactTo, batch.revision - this.#historyCommits);
		const stride = Math.max(2 * batch.published.length, this.#compactTo > 0 ? 1000 : 0);
		// Never what is only now being written: it is not there to be read yet.
		const compacted = Math.max(this.#compacted, Math.min(target, this.#compacted + stride, this.#revision));
		if (batch.published.length === 0 && compacted === this.#compacted) return compacted;
		this.#checkSpace(batch);
		const forgotten = this.#superseded(this.#compacted, compacted);
		await this.#transaction((written) => {
			for (const [key, pointer] of batch.pointers)
				written(pointer === undefined ? this.#index.remove(key) : this.#index.put(key, encodePointer(pointer)));
			for (const [key, bytes] of batch.records) written(this.#log.put(key, bytes));
			for (const key of forgotten) written(this.#log.remove(key));
			written(this.#meta.put("format", format));
			written(this.#meta.put("revision", batch.revision));
			written(this.#meta.put("compacted", compacted));
		});
		return compacted;
	}

	/** LMDB survives a full disk, but not always unharmed in memory: better not to let it get there. */
	#checkSpace(batch: Batch): void {
		const { bavail, bsize } = statfsSync(this.#folder);
		const neededBytes = 2 * batch.bytes + batch.records.size * treeBytes + reserveBytes;
		if (bavail * bsize < neededBytes)
			throw new ApiError("InternalError", `the disk of ${this.#folder} is full: nothing was changed`);
	}

	/** Everything that `write` hands to `written` is written, or nothing, once this resolves. */
	async #transaction(write: (written: (outcome: Promise<boolean>) => void) => void): Promise<void> {
		// The writes of a transaction share one or two promises, all of which fail when it does.
		const outcomes = new Set<Promise<boolean>>();
		const all = this.#root.batch(() => write((outcome) => outcomes.add(outcome)));
		const settled = await Promise.allSettled([all, ...outcomes]);
		for (const result of settled) if (result.status === "rejected") throw await writeFailure(result.reason);
	}

	/** Records that nobody can ask for when revisions up to `to` are forgotten: each that was superseded, and deletes. */
	#superseded(from: number, to: number): number[] {
		if (from >= to) return [];
		const found: number[] = [];
		for (const { key, value } of this.#log.getRange({ start: logKey(from + 1, 0), end: logKey(to + 1, 0) })) {
			const { previous, type } = decodeRecord(value);
			if (previous !== 0) found.push(previous);
			if (type === "delete") found.push(key);
		}
		return found;
	}

	#history(afterRevision: number, limit: number): CommitRecord[] {
		const start = logKey(afterRevision + 1, 0);
		const records: { revision: number; changes: Change[] }[] = [];
		for (const { key, value } of this.#log.getRange({ start, end: logKey(this.#revision + 1, 0) })) {
			const revision = revisionOf(key);
			let record = records.at(-1);
			if (record?.revision !== revision) {
				if (records.length >= limit) break;
				record = { revision, changes: [] };
				records.push(record);
			}
			record.changes.push(this.#change(revision, value));
		}
		return records;
	}

	#change(revision: number, bytes: Buffer): Change {
		const { type, key, value, createRevision, previous: before } = decodeRecord(bytes);
		const previous = before === 0 ? undefined : this.#read(key, before);
		if (type === "delete") return { type, key, revision, ...(previous && { previous }) };
		return { type, key, value, revision, createRevision, ...(previous && { previous }) };
	}

	#pointer(key: string, batch?: Batch): Pointer | undefined {
		if (batch?.pointers.has(key)) return batch.pointers.get(key);
		const bytes = this.#index.get(key);
		return bytes && decodePointer(bytes);
	}

	#entry(key: string, { record }: Pointer, batch?: Batch): Entry {
		const entry = this.#read(key, record, batch);
		if (entry === undefined) throw new Error(`the index of the store points to no record of ${key}`);
		return entry;
	}

	#read(key: string, record: number, batch?: Batch): Entry | undefined {
		const bytes = batch?.records.get(record) ?? this.#log.get(record);
		if (bytes === undefined) return undefined;
		const { value, createRevision } = decodeRecord(bytes);
		return { key, value, modRevision: revisionOf(record), createRevision };
	}
}

/** @param error lmdb's, whose promise `commitError` rejects with the cause in the same turn of the event loop */
async function writeFailure(error: unknown): Promise<ApiError> {
	let cause = error;
	if (error instanceof Error && "commitError" in error) {
		const turn = new Promise<unknown>((resolve) => setImmediate(() => resolve(error)));
		cause = await Promise.race([Promise.resolve(error.commitError).catch((reason: unknown) => reason), turn]);
	}
	const text = cause instanceof Error ? cause.message : String(cause);
	return new ApiError("InternalError", `the store could not write to its disk, nothing was changed: ${text}`);
}
