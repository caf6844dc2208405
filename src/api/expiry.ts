/** Removes what has been left alone for as long as its kind lets it live: Events, as upstream's `--event-ttl` does. */
import type { Clock, Timer } from "../core/clock.ts";
import type { Kind } from "../kinds/engine/kind.ts";
import type { Store } from "../store/store.ts";
import type { WatchCache } from "./cache/cache.ts";
import type { Cached } from "./cache/cached.ts";
import type { CacheEvent } from "./cache/event.ts";
import { keyPrefix } from "./cache/keys.ts";

/** So many go in one write to the store. */
const largestSweep = 256;
/** What runs out within this time of another goes with it: one write removes many. */
const gatherMs = 10_000;
/** How long to wait after a write that failed. */
const retryMs = 5000;

interface Due {
	key: string;
	revision: number;
	atMs: number;
}

/**
 * Watches one kind. All its objects live equally long after their last write, so they run out in the order in which
 * they were written: a queue, and one timer for its head.
 */
export class Expiry {
	readonly #store: Store;
	readonly #cache: WatchCache;
	readonly #clock: Clock;
	readonly #kind: Kind;
	readonly #lifeMs: number;
	readonly #closing = new AbortController();
	/** Earliest first; an entry whose object has been written again since is skipped. */
	#queue: Due[] = [];
	/** Entries before this one are done with. */
	#head = 0;
	#timer: Timer | undefined;

	constructor(options: { store: Store; cache: WatchCache; clock: Clock; kind: Kind; lifeMs: number }) {
		this.#store = options.store;
		this.#cache = options.cache;
		this.#clock = options.clock;
		this.#kind = options.kind;
		this.#lifeMs = options.lifeMs;
		this.#follow();
	}

	close(): void {
		this.#closing.abort();
		this.#timer?.cancel();
	}

	/** Nobody knows when those were written that are there already: they live on from now. */
	#follow(): void {
		if (this.#closing.signal.aborted) return;
		const objects = this.#cache.resource(this.#kind);
		for (const cached of objects.range(keyPrefix(this.#kind))) this.#add(cached);
		const watch = new AbortController();
		const watcher = {
			scope: { by: "all" } as const,
			change: ({ current }: CacheEvent) => {
				if (current !== undefined) this.#add(current);
			},
			progress: () => {},
			// The cache was refilled.
			end: () => {
				watch.abort();
				this.#follow();
			},
		};
		objects.watch(watcher, this.#cache.revision, AbortSignal.any([watch.signal, this.#closing.signal]));
	}

	#add({ key, revision }: Cached): void {
		this.#queue.push({ key, revision, atMs: this.#clock.now() + this.#lifeMs });
		this.#schedule();
	}

	#schedule(): void {
		const first = this.#queue[this.#head];
		if (this.#timer !== undefined || first === undefined || this.#closing.signal.aborted) return;
		this.#timer = this.#clock.after(Math.max(first.atMs - this.#clock.now(), 0) + gatherMs, () => {
			this.#sweep().then(
				() => {
					this.#timer = undefined;
					this.#schedule();
				},
				() => {
					this.#timer = this.#clock.after(retryMs, () => {
						this.#timer = undefined;
						this.#schedule();
					});
				},
			);
		});
	}

	async #sweep(): Promise<void> {
		while (!this.#closing.signal.aborted) {
			const due = this.#take();
			if (due.length === 0) return;
			const result = await this.#store.commit({
				compare: due.map(({ key, revision }) => ({ key, modRevision: revision })),
				puts: [],
				deletes: due.map(({ key }) => key),
			});
			if (result.ok) continue;
			// One of them was written in the meantime, and waits in the queue again; the others are tried again without it.
			await this.#cache.fresh();
			this.#queue.splice(this.#head, 0, ...due.filter((entry) => this.#isCurrent(entry)));
		}
	}

	/** What has run out, at most one sweep of it. */
	#take(): Due[] {
		const nowMs = this.#clock.now();
		const due: Due[] = [];
		for (; due.length < largestSweep; this.#head++) {
			const entry = this.#queue[this.#head];
			if (entry === undefined || entry.atMs > nowMs) break;
			if (this.#isCurrent(entry)) due.push(entry);
		}
		if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
			this.#queue = this.#queue.slice(this.#head);
			this.#head = 0;
		}
		return due;
	}

	#isCurrent({ key, revision }: Due): boolean {
		return this.#cache.resource(this.#kind).get(key)?.revision === revision;
	}
}
