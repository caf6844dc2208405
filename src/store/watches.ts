/** The watches of a store in this process: they catch up from its history, then receive commits as they happen. */
import { ApiError } from "../core/errors.ts";
import type { Change, Store } from "./store.ts";

/** The changes of one commit. */
export interface CommitRecord {
	revision: number;
	changes: readonly Change[];
}

/** The store's history. All three are synchronous, so that nothing can commit in between. */
export interface History {
	/** Commits up to this revision are discarded. */
	compactedRevision(): number;
	/** The newest revision that was handed to `deliver`. */
	newestRevision(): number;
	/** Up to `limit` commits after a revision that is not below the compacted one, in order. */
	read(afterRevision: number, limit: number): readonly CommitRecord[];
}

interface Watcher {
	prefix: string;
	/** Everything up to this revision has been delivered. */
	cursor: number;
	live: boolean;
	sink: Parameters<Store["watch"]>[1];
}

/** How many commits a watch reads from history before it lets others have a turn. */
const catchUpBatch = 256;

export class Watches {
	readonly #history: History;
	readonly #watchers = new Set<Watcher>();
	/** Commits made by a sink during a delivery wait here, so that no watcher sees them before the one in progress. */
	readonly #waiting: CommitRecord[] = [];
	#delivering = false;

	constructor(history: History) {
		this.#history = history;
	}

	/** As `Store.watch`. The sink is first called after this returns. */
	add(...[options, sink]: Parameters<Store["watch"]>): void {
		if (options.signal.aborted) return;
		const watcher: Watcher = { prefix: options.prefix, cursor: options.afterRevision, live: false, sink };
		this.#watchers.add(watcher);
		options.signal.addEventListener("abort", () => this.#watchers.delete(watcher), { once: true });
		queueMicrotask(() => this.#catchUp(watcher));
	}

	/** Passes a commit to all live watchers. Called once for each commit, in revision order. */
	deliver(record: CommitRecord): void {
		this.#waiting.push(record);
		if (this.#delivering) return;
		this.#delivering = true;
		for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
			for (const watcher of this.#watchers) if (watcher.live) this.#hand(watcher, next);
		}
		this.#delivering = false;
	}

	/** Ends all watches, for example when the store closes. */
	end(error: Error): void {
		for (const watcher of this.#watchers) this.#finish(watcher, error);
	}

	#catchUp(watcher: Watcher): void {
		if (!this.#watchers.has(watcher)) return;
		const compacted = this.#history.compactedRevision();
		if (watcher.cursor < compacted) {
			this.#finish(watcher, expired(watcher.cursor, compacted));
			return;
		}
		for (const record of this.#history.read(watcher.cursor, catchUpBatch)) this.#hand(watcher, record);
		if (watcher.cursor >= this.#history.newestRevision()) watcher.live = true;
		else setImmediate(() => this.#catchUp(watcher));
	}

	#hand(watcher: Watcher, record: CommitRecord): void {
		if (record.revision <= watcher.cursor || !this.#watchers.has(watcher)) return;
		watcher.cursor = record.revision;
		const changes = matching(record.changes, watcher.prefix);
		if (changes.length > 0) call(() => watcher.sink.changes(changes));
	}

	#finish(watcher: Watcher, error: Error): void {
		if (this.#watchers.delete(watcher)) call(() => watcher.sink.end(error));
	}
}

export function expired(wanted: number, compacted: number): ApiError {
	return new ApiError("Expired", `too old resource version: ${wanted} (${compacted})`);
}

/** Most commits change one key: no new array is created. */
function matching(changes: readonly Change[], prefix: string): readonly Change[] {
	const first = changes[0];
	if (changes.length === 1 && first !== undefined) return first.key.startsWith(prefix) ? changes : [];
	return changes.filter((change) => change.key.startsWith(prefix));
}

/** A sink that throws is a bug of its owner; it must neither fail the writer nor affect other watchers. */
function call(sink: () => void): void {
	try {
		sink();
	} catch (error) {
		queueMicrotask(() => {
			throw error;
		});
	}
}
