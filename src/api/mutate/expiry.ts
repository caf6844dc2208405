/** Removes objects whose TTL has expired: Events, like upstream's `--event-ttl`. */
import type { Clock, Timer } from "../../core/time/clock.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Cached } from "../cache/cached.ts";
import type { CacheEvent } from "../cache/event.ts";
import { keyPrefix } from "../cache/keys.ts";
import { resourceOf, type Target } from "../resources/target.ts";
import type { Context, Server } from "../server/server.ts";
import { ownContext } from "./own.ts";
import { removeAll } from "./remove-all.ts";

/** The number of deletions per commit. */
const largestSweep = 256;
/** Objects that expire within this time of each other are removed together. */
const gatherMs = 10_000;
/** The delay after a failed write. */
const retryMs = 5000;

interface Due {
	key: string;
	revision: number;
	atMs: number;
}

/**
 * Watches one kind. All of its objects have the same TTL after their last write, so they expire in the order of their
 * writes: a queue, and one timer for its head.
 */
export class Expiry {
	readonly #context: Context;
	readonly #target: Target;
	readonly #ttlMs: number;
	readonly #closing = new AbortController();
	/** Earliest first; an entry whose object has been written again since is skipped. */
	#queue: Due[] = [];
	/** Entries before this index have been processed. */
	#head = 0;
	#timer: Timer | undefined;

	constructor(server: Server, kind: Kind, ttlMs: number) {
		this.#context = ownContext(server);
		this.#target = resourceOf(server, kind);
		this.#ttlMs = ttlMs;
		this.#follow();
	}

	close(): void {
		this.#closing.abort();
		this.#timer?.cancel();
	}

	get #clock(): Clock {
		return this.#context.server.clock;
	}

	/** The write time of existing objects is unknown: their TTL starts now. */
	#follow(): void {
		if (this.#closing.signal.aborted) return;
		const { objects, kind } = this.#target;
		for (const cached of objects.range(keyPrefix(kind))) this.#add(cached);
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
		const { revision } = this.#context.server.cache;
		objects.watch(watcher, revision, AbortSignal.any([watch.signal, this.#closing.signal]));
	}

	#add({ key, revision }: Cached): void {
		this.#queue.push({ key, revision, atMs: this.#clock.now() + this.#ttlMs });
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
			try {
				await removeAll(this.#context, this.#target, due);
			} catch (error) {
				this.#queue.splice(this.#head, 0, ...due);
				throw error;
			}
		}
	}

	/** Expired objects, at most one sweep of them. Those that were written in the meantime are in the queue again. */
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
		return this.#target.objects.get(key)?.revision === revision;
	}
}
