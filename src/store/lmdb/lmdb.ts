/** The embedded, durable store: one data folder, one process, based on LMDB. */
import { ApiError, asError } from "../../core/errors.ts";
import { makeFolder } from "../../linux/make-folder.ts";
import { type Commit, type CommitResult, checkCommit, type Entry, type Store } from "../store.ts";
import { Watches } from "../watches.ts";
import { Batch } from "./batch.ts";
import { type FolderLock, lockFolder } from "./folder-lock.ts";
import { checkSpace, freeOnDisk } from "./space.ts";
import { Tables } from "./tables.ts";

export interface LmdbOptions {
	/** The data folder; created if it does not exist. */
	folder: string;
	/** The number of commits that a watch can go back, also after a restart, within the limit of bytes. */
	historyCommits?: number;
	/** The size of changes that a watch can go back, which limits the file. Default 64 MiB. */
	historyBytes?: number;
	/**
	 * Whether a commit waits until it is on disk (the default). Without it, commits are many times as fast and still
	 * survive the process; if the machine crashes, the last of them may be lost.
	 */
	flush?: boolean;
}

export interface DurableStore extends Store {
	/**
	 * Writes a consistent copy into `data.mdb` of an existing folder, while the store is in use: LMDB's file including
	 * its free pages, which still contain old data. It is not synced to disk.
	 */
	copyTo(folder: string): Promise<void>;
	/**
	 * Creates a store with the same content and history in an empty folder: a file without free pages. Nothing may be
	 * committed until it is done. It is not synced to disk.
	 */
	rebuildIn(folder: string): Promise<void>;
	/** Has `begin` called when a transaction begins, and what it returns when that is on disk or has failed. */
	followTransactions(begin: () => () => void): void;
	/** Discards all history, and continues after a later revision: for a copy that must not reuse a revision. */
	advance(revision: number): Promise<void>;
}

/** The number of commits that may wait for the disk: more are rejected, because they would only wait longer. */
const queueLimit = 20_000;
/** The maximum number of commits and bytes per transaction, so that the first does not wait too long for the last. */
const batchCommits = 2048;
const batchBytes = 16 * 1024 * 1024;
/** A transaction discards this many bytes of history more than it writes. */
const largestStepBytes = 32 * 1024 * 1024;
/** With less free space, history is discarded step by step, so that the file has free pages and does not grow. */
const tightBytes = 8 * 1024 * 1024;
/** The number of records that such a step removes: each may need a page. */
const tightStepRecords = 64;

/**
 * Opens the store of a data folder. A commit is acknowledged after its transaction is on disk (but see `flush`);
 * commits that arrive while one is being written form the next transaction.
 * @throws ApiError Conflict if another process uses the folder, InternalError if it has another format
 */
export function openLmdbStore(options: LmdbOptions): DurableStore {
	makeFolder(options.folder, 0o700);
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

class LmdbStore implements DurableStore {
	readonly #tables: Tables;
	readonly #folder: string;
	readonly #lock: FolderLock;
	readonly #historyCommits: number;
	readonly #historyLimitBytes: number;
	readonly #watches: Watches;
	#revision: number;
	#compacted: number;
	#historyBytes: number;
	#queue: Waiting[] = [];
	/** Resolves when the queue is empty; undefined while nothing is being written. */
	#writing: Promise<void> | undefined;
	#compactTo = 0;
	#closed = false;
	#begin: (() => () => void) | undefined;

	constructor(options: LmdbOptions, lock: FolderLock) {
		const { folder, historyCommits = 10_000, historyBytes = 64 * 1024 * 1024, flush = true } = options;
		this.#folder = folder;
		this.#lock = lock;
		this.#historyCommits = historyCommits;
		this.#historyLimitBytes = historyBytes;
		this.#tables = new Tables(folder, flush);
		this.#revision = this.#tables.revision();
		this.#compacted = this.#tables.compacted();
		this.#historyBytes = this.#tables.historyBytes();
		this.#watches = new Watches({
			compactedRevision: () => this.#compacted,
			newestRevision: () => this.#revision,
			read: (afterRevision, limit) => this.#tables.history(afterRevision, this.#revision, limit),
		});
	}

	async revision(): Promise<number> {
		return this.#revision;
	}

	async get(key: string): Promise<Entry | undefined> {
		this.#checkOpen();
		const pointer = this.#tables.pointer(key);
		return pointer && this.#tables.entryAt(key, pointer);
	}

	async range(options: Parameters<Store["range"]>[0]): ReturnType<Store["range"]> {
		this.#checkOpen();
		const { from, to, limit = Number.POSITIVE_INFINITY } = options;
		const range = { start: from, ...(to !== undefined && { end: to }), ...(limit < 2 ** 31 && { limit: limit + 1 }) };
		// Nothing commits during this synchronous loop: a read transaction lasts for one turn of the event loop.
		const entries: Entry[] = [];
		for (const { key, pointer } of this.#tables.pointers(range)) {
			if (entries.length <= limit) entries.push(this.#tables.entryAt(key, pointer));
		}
		const more = entries.length > limit;
		if (more) entries.pop();
		return { entries, revision: this.#tables.revision(), more };
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

	copyTo(folder: string): Promise<void> {
		this.#checkOpen();
		return this.#tables.copyTo(folder);
	}

	rebuildIn(folder: string): Promise<void> {
		this.#checkOpen();
		return this.#tables.rebuildIn(folder);
	}

	followTransactions(begin: () => () => void): void {
		this.#begin = begin;
	}

	async advance(revision: number): Promise<void> {
		if (revision <= this.#revision) throw new Error(`revision ${revision} is not after ${this.#revision}`);
		await this.compact(this.#revision);
		const nothing = { pointers: new Map(), records: new Map(), forgotten: [] };
		await this.#tables.write({ ...nothing, revision, compacted: revision, historyBytes: 0 });
		this.#revision = revision;
		this.#compacted = revision;
		this.#historyBytes = 0;
	}

	async close(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		while (this.#writing !== undefined) await this.#writing;
		this.#watches.end(new Error("the store was closed"));
		await this.#tables.close();
		this.#lock.release();
	}

	#checkOpen(): void {
		if (this.#closed) throw new ApiError("ServiceUnavailable", "the store is closed");
	}

	#startWriting(): Promise<void> {
		// Commits that arrive in the same turn of the event loop are included.
		this.#writing ??= Promise.resolve()
			.then(() => this.#writeAll())
			.finally(() => {
				this.#writing = undefined;
				// Writers whose commits were acknowledged may have queued others already.
				if (this.#queue.length > 0) void this.#startWriting();
			});
		return this.#writing;
	}

	async #writeAll(): Promise<void> {
		do {
			const waiting = this.#queue.splice(0, batchCommits);
			const { batch, answers } = this.#prepare(waiting);
			const compacted = await this.#write(batch).catch((failure: Error) => {
				for (const { reject } of waiting.slice(0, answers.length)) reject(failure);
				// Without a transaction there is no progress: compaction is retried with the next write.
				this.#compactTo = 0;
				return undefined;
			});
			if (compacted === undefined) continue;
			this.#revision = batch.revision;
			this.#compacted = compacted;
			for (const record of batch.published) this.#watches.deliver(record);
			for (const answer of answers) answer();
		} while (this.#queue.length > 0);
	}

	/** Decides on commits in their order; those that do not fit return to the front of the queue. */
	#prepare(waiting: readonly Waiting[]): { batch: Batch; answers: (() => void)[] } {
		const batch = new Batch(this.#tables, this.#revision);
		const answers: (() => void)[] = [];
		for (const [index, { commit, resolve, reject }] of waiting.entries()) {
			if (batch.bytes >= batchBytes) {
				this.#queue.unshift(...waiting.slice(index));
				break;
			}
			try {
				const result = batch.add(commit);
				answers.push(() => resolve(result));
			} catch (error) {
				answers.push(() => reject(asError(error)));
			}
		}
		return { batch, answers };
	}

	/**
	 * Writes a batch, and compacts as much as it requires.
	 * @returns the new compacted revision, once it is on disk
	 */
	async #write(batch: Batch): Promise<number> {
		const target = Math.max(this.#compactTo, batch.revision - this.#historyCommits);
		const stride = Math.max(2 * batch.published.length, this.#compactTo > 0 ? 1000 : 0);
		// Excludes the commits that are being written, which cannot be read yet.
		const to = Math.min(target, this.#compacted + stride, this.#revision);
		if (batch.published.length === 0 && to <= this.#compacted) return this.#compacted;
		const diskBytes = freeOnDisk(this.#folder);
		const isTight = diskBytes < tightBytes;
		checkSpace({ folder: this.#folder, diskBytes, fileBytes: isTight ? this.#tables.freeBytes() : 0 }, batch.records);
		const excess = this.#historyBytes + batch.bytes - (isTight ? 0 : this.#historyLimitBytes);
		// A history that was written with a larger limit is reduced in steps.
		const bytes = Math.min(excess, batch.bytes + largestStepBytes);
		const most = isTight ? tightStepRecords : Number.POSITIVE_INFINITY;
		const range = { from: this.#compacted, to, bytes, records: most, last: this.#revision };
		const forgotten = this.#tables.superseded(range);
		const historyBytes = this.#historyBytes + batch.bytes - forgotten.bytes;
		const compacted = forgotten.revision;
		const { revision, pointers, records } = batch;
		const ended = this.#begin?.();
		await this.#tables
			.write({ revision, pointers, records, forgotten: forgotten.records, compacted, historyBytes })
			.finally(ended);
		this.#historyBytes = historyBytes;
		return compacted;
	}
}
