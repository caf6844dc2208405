/**
 * The API server's copy of the store: one watch on the store feeds a cache for each resource. Reads and watches are
 * served from here; an object is parsed and encoded once for all clients.
 */

import { ApiError, isReason } from "../../core/errors.ts";
import { deepFreeze, type KubeObject } from "../../core/object.ts";
import type { Clock, Timer } from "../../core/time/clock.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import { type Change, prefixEnd, type Store } from "../../store/store.ts";
import { Cached, type Parser, parse } from "./cached.ts";
import { History } from "./history.ts";
import { keyRoot, objectKey, resourceName, resourceOfKey } from "./keys.ts";
import { KindCache } from "./kind-cache.ts";

/** The interval of bookmarks for watchers that requested them. */
const bookmarkIntervalMs = 60_000;
/** The interval of compaction: lists can go back this long, at most twice as long. Upstream's interval. */
const compactionIntervalMs = 300_000;
/** How long a read waits for a revision that the cache has not seen. */
const freshnessTimeoutMs = 3000;
/** The delay before the watch of the store is started again. */
const storeRetryMs = 1000;

export interface OwnWrite {
	readonly object: KubeObject;
	/** Set when the store's watch has delivered the write. */
	cached: Cached | undefined;
}

export class WatchCache {
	readonly #store: Store;
	readonly #clock: Clock;
	readonly #eventLimit: number;
	readonly #history: History;
	readonly #rarelyRead: ReadonlySet<string>;
	readonly #parsers: ReadonlyMap<string, Parser>;
	readonly #resources = new Map<string, KindCache>();
	/** Objects of pending writes of this process, by the bytes that were sent to the store: they need no parsing. */
	readonly #ownWrites = new WeakMap<Uint8Array, OwnWrite>();
	readonly #claims = new Set<string>();
	readonly #closing = new AbortController();
	#waiting: { revision: number; resolve: () => void }[] = [];
	#revision = 0;
	#loadedRevision = 0;
	#bookmarks: Timer | undefined;
	#compaction: Timer | undefined;
	/** The revision at the last compaction: the next one forgets what is before it. */
	#markedRevision = 0;
	#compactedRevision = 0;

	/**
	 * @param options.rarelyRead resources (`group/plural`) whose older objects are kept encoded
	 * @param options.parsers by resource, of those that are not just JSON.parse
	 */
	constructor(
		store: Store,
		clock: Clock,
		options: {
			eventLimit?: number;
			historyBytes?: number;
			rarelyRead?: ReadonlySet<string>;
			parsers?: ReadonlyMap<string, Parser>;
		} = {},
	) {
		this.#store = store;
		this.#parsers = options.parsers ?? new Map();
		this.#rarelyRead = options.rarelyRead ?? new Set();
		this.#clock = clock;
		this.#eventLimit = options.eventLimit ?? 4096;
		this.#history = new History(options.historyBytes);
	}

	/** Everything up to this revision of the store has been seen. */
	get revision(): number {
		return this.#revision;
	}

	/** Lists of earlier revisions are not served. Watches may still begin before it. */
	get compactedRevision(): number {
		return this.#compactedRevision;
	}

	/** Bytes of superseded objects in the history of all resources. */
	get historyBytes(): number {
		return this.#history.heldBytes;
	}

	/** The approximate memory of all objects. */
	get objectBytes(): number {
		let bytes = 0;
		for (const { heldBytes } of this.#resources.values()) bytes += heldBytes;
		return bytes;
	}

	/** Fills the cache and starts to watch the store. */
	async start(): Promise<void> {
		await this.#load();
		this.#watchStore();
	}

	async #load(): Promise<void> {
		const { entries, revision } = await this.#store.range({ from: keyRoot, to: prefixEnd(keyRoot) });
		this.#loadedRevision = revision;
		this.#claims.clear();
		for (const cache of this.#resources.values()) cache.forget(revision);
		for (const { key, value, modRevision } of entries) {
			const resource = resourceOfKey(key);
			if (resource === undefined) this.#claims.add(key);
			else if (this.#rarelyRead.has(resource))
				this.#resource(resource).load(new Cached(key, undefined, modRevision, value));
			else this.#resource(resource).load(parse(key, value, modRevision, this.#parsers.get(resource)));
		}
		this.#revision = revision;
		this.#wake();
	}

	/** Whether a key exists that is not that of an object, such as that of an address in use. */
	isClaimed(key: string): boolean {
		return this.#claims.has(key);
	}

	/** The cache of a kind. */
	resource<T extends KubeObject>(kind: Kind<T>): KindCache<T> {
		// Nothing else has keys of its resource.
		return this.#resource(resourceName(kind)) as unknown as KindCache<T>;
	}

	/** One object as it is now. @param namespace undefined for kinds without */
	find<T extends KubeObject>(kind: Kind<T>, namespace: string | undefined, name: string): T | undefined {
		return this.resource(kind).get(objectKey(kind, namespace, name))?.object;
	}

	/** The cache of `group/plural`. */
	#resource(resource: string): KindCache {
		let cache = this.#resources.get(resource);
		if (cache === undefined) {
			cache = new KindCache(this.#loadedRevision, this.#eventLimit, this.#rarelyRead.has(resource), this.#history);
			this.#resources.set(resource, cache);
		}
		return cache;
	}

	/**
	 * Announces a write of this process: when `value` comes back from the store, `object` is what it means, and belongs
	 * to the cache from then on. The write then finds what became of it in `cached`.
	 */
	expect(value: Uint8Array, object: KubeObject): OwnWrite {
		const write: OwnWrite = { object, cached: undefined };
		this.#ownWrites.set(value, write);
		return write;
	}

	/** Resolves when the cache has all writes that were acknowledged before the call. */
	async fresh(): Promise<void> {
		const revision = await this.#store.revision();
		if (this.#revision < revision) await this.reached(revision);
	}

	/**
	 * Resolves when the revision has been seen.
	 * @throws ApiError `Timeout` if that takes too long
	 */
	reached(revision: number): Promise<void> | undefined {
		if (this.#revision >= revision) return undefined;
		return new Promise((resolve, reject) => {
			const timer = this.#clock.after(freshnessTimeoutMs, () => {
				this.#waiting = this.#waiting.filter((waiter) => waiter !== waiting);
				reject(tooLarge(revision, this.#revision));
			});
			const waiting = {
				revision,
				resolve: () => {
					timer.cancel();
					resolve();
				},
			};
			this.#waiting.push(waiting);
		});
	}

	/** Sends bookmarks now to the watchers that requested them. */
	sendBookmarks(): void {
		for (const cache of this.#resources.values()) {
			for (const watcher of cache.watchers()) watcher.progress(this.#revision);
		}
	}

	/** Ends the watches of a kind that is no longer served. */
	endWatches(kind: Kind): void {
		for (const watcher of [...this.resource(kind).watchers()]) watcher.end();
	}

	/** Ends all watches. */
	close(): void {
		this.#closing.abort(new Error("the API server is closing"));
		this.#bookmarks?.cancel();
		this.#compaction?.cancel();
		for (const cache of this.#resources.values()) for (const watcher of [...cache.watchers()]) watcher.end();
	}

	#watchStore(): void {
		this.#store.watch(
			{ prefix: "", afterRevision: this.#revision, signal: this.#closing.signal },
			{
				changes: (changes) => this.#apply(changes),
				end: (error) => this.#storeLost(error),
			},
		);
	}

	/** Resumes the watch; if its revision is too old, reads everything again and ends all watches. */
	#storeLost(error: Error): void {
		if (this.#closing.signal.aborted) return;
		this.#clock.after(storeRetryMs, () => {
			if (this.#closing.signal.aborted) return;
			if (!isReason(error, "Expired")) {
				this.#watchStore();
				return;
			}
			const watchers = [...this.#resources.values()].flatMap((cache) => [...cache.watchers()]);
			this.#load().then(
				() => {
					for (const watcher of watchers) watcher.end(new ApiError("Expired", "the watch cache was refilled"));
					this.#watchStore();
				},
				() => this.#storeLost(error),
			);
		});
	}

	#apply(changes: readonly Change[]): void {
		for (const change of changes) {
			this.#revision = change.revision;
			// Other rooms write to the same store, which only increases the revision.
			if (!change.key.startsWith(keyRoot)) continue;
			const resource = resourceOfKey(change.key);
			if (resource === undefined) {
				if (change.type === "put") this.#claims.add(change.key);
				else this.#claims.delete(change.key);
				continue;
			}
			const current = change.type === "put" ? this.#cachedFrom(change) : undefined;
			this.#resource(resource).apply(change.revision, change.key, current);
		}
		if (this.#waiting.length > 0) this.#wake();
		this.#bookmarks ??= this.#clock.after(bookmarkIntervalMs, () => {
			this.#bookmarks = undefined;
			this.sendBookmarks();
		});
		this.#compaction ??= this.#clock.after(compactionIntervalMs, () => {
			this.#compaction = undefined;
			this.#compactedRevision = this.#markedRevision;
			this.#markedRevision = this.#revision;
		});
	}

	#cachedFrom({ key, value, revision }: Change & { type: "put" }): Cached {
		const write = this.#ownWrites.get(value);
		if (write === undefined) {
			const resource = resourceOfKey(key) ?? "";
			if (this.#rarelyRead.has(resource)) return new Cached(key, undefined, revision, value);
			return parse(key, value, revision, this.#parsers.get(resource));
		}
		this.#ownWrites.delete(value);
		write.object.metadata.resourceVersion = String(revision);
		write.cached = new Cached(key, deepFreeze(write.object), revision, value);
		return write.cached;
	}

	#wake(): void {
		const still = [];
		for (const waiting of this.#waiting) {
			if (waiting.revision <= this.#revision) waiting.resolve();
			else still.push(waiting);
		}
		this.#waiting = still;
	}
}

/** Upstream's response to a resourceVersion of the future. */
export function tooLarge(wanted: number, current: number): ApiError {
	return new ApiError("Timeout", `Too large resource version: ${wanted}, current: ${current}`, {
		causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
		retryAfterSeconds: 1,
	});
}
