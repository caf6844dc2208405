/** All objects of one resource, their recent changes, and their watchers. */
import type { KubeObject } from "../../core/object.ts";
import { SortedKeys } from "../../store/keys.ts";
import { prefixEnd } from "../../store/store.ts";
import type { Cached } from "./cached.ts";
import { CacheEvent } from "./event.ts";
import { History } from "./history.ts";
import { EventRing } from "./ring.ts";
import { type Watcher, Watchers } from "./watchers.ts";

/** Measured memory of an object besides its JSON. */
const objectBytes = 4096;
/** The JSON exists as stored, and as a value or as served. */
const copies = 2;

/** The approximate memory of an object with JSON of this many bytes. */
export function memoryOf(jsonBytes: number): number {
	return objectBytes + copies * jsonBytes;
}

export class KindCache<T extends KubeObject = KubeObject> {
	readonly #objects = new Map<string, Cached<T>>();
	readonly #eventLimit: number;
	readonly #rarelyRead: boolean;
	readonly #history: History;
	readonly #watchers = new Watchers();
	#keys = new SortedKeys();
	#ring: EventRing<T>;
	#heldBytes = 0;
	#changeCount = 0;

	/**
	 * @param sinceRevision changes after it are remembered, as far as `eventLimit` and the history's bytes go
	 * @param rarelyRead objects are kept encoded once their change is forgotten
	 */
	constructor(sinceRevision: number, eventLimit: number, rarelyRead = false, history = new History()) {
		this.#eventLimit = eventLimit;
		this.#rarelyRead = rarelyRead;
		this.#history = history;
		this.#ring = this.#newRing(sinceRevision);
	}

	#newRing(sinceRevision: number): EventRing<T> {
		const forgotten = this.#rarelyRead ? ({ current }: CacheEvent<T>) => current?.compact() : undefined;
		return new EventRing(sinceRevision, this.#eventLimit, this.#history, forgotten);
	}

	/** Empties the cache, to be filled with the objects as of a revision. */
	forget(revision: number): void {
		this.#changeCount++;
		this.#objects.clear();
		this.#heldBytes = 0;
		this.#keys = new SortedKeys();
		this.#history.remove(this.#ring);
		this.#ring = this.#newRing(revision);
	}

	/** Changes whenever an object changes, for values that are computed from all objects. */
	get changeCount(): number {
		return this.#changeCount;
	}

	get size(): number {
		return this.#objects.size;
	}

	/** The approximate memory of all objects. */
	get heldBytes(): number {
		return this.#heldBytes;
	}

	get(key: string): Cached<T> | undefined {
		return this.#objects.get(key);
	}

	/** An object that existed when the cache was filled; watchers are not notified. */
	load(cached: Cached<T>): void {
		const previous = this.#objects.get(cached.key);
		if (previous === undefined) this.#keys.add(cached.key);
		this.#objects.set(cached.key, cached);
		this.#count(cached, previous);
	}

	/** A change: `current` is undefined for a deletion. Notifies the watchers that it concerns. */
	apply(revision: number, key: string, current: Cached<T> | undefined): void {
		const previous = this.#objects.get(key);
		if (current === undefined) {
			if (previous === undefined) return;
			this.#objects.delete(key);
			this.#keys.remove(key);
		} else {
			if (previous === undefined) this.#keys.add(key);
			this.#objects.set(key, current);
		}
		this.#count(current, previous);
		const event = new CacheEvent(revision, current, previous);
		this.#ring.push(event);
		this.#watchers.deliver(event);
	}

	#count(current: Cached | undefined, previous: Cached | undefined): void {
		this.#changeCount++;
		if (current !== undefined) this.#heldBytes += memoryOf(current.value.length);
		if (previous !== undefined) this.#heldBytes -= memoryOf(previous.value.length);
	}

	/** Objects whose keys begin with `prefix`, in key order, at the newest revision. */
	*range(prefix: string, from = prefix): Iterable<Cached<T>> {
		const to = prefixEnd(prefix);
		const batchSize = 512;
		for (let start = from; ; ) {
			const keys = this.#keys.slice(start, to, batchSize);
			for (const key of keys) {
				const cached = this.#objects.get(key);
				if (cached !== undefined) yield cached;
			}
			const last = keys.at(-1);
			if (last === undefined || keys.length < batchSize) return;
			start = `${last}\0`;
		}
	}

	/**
	 * As `range`, at an earlier `revision`: the current objects with the changes since then undone.
	 * @throws ApiError `Expired` if the changes since then have been discarded
	 */
	rangeAt(revision: number, prefix: string, from = prefix): Iterable<Cached<T>> {
		const undone = new Map<string, Cached<T> | undefined>();
		for (const event of this.#ring.newestFirst(revision)) {
			if (event.key >= from && event.key.startsWith(prefix)) undone.set(event.key, event.previous);
		}
		if (undone.size === 0) return this.range(prefix, from);
		const found: Cached<T>[] = [];
		for (const cached of this.range(prefix, from)) if (!undone.has(cached.key)) found.push(cached);
		for (const cached of undone.values()) if (cached !== undefined) found.push(cached);
		return found.sort((a, b) => (a.key < b.key ? -1 : 1));
	}

	/**
	 * Starts a watch: hands over the changes after `afterRevision`, then every new one until `signal` aborts.
	 * @throws ApiError `Expired` if the changes after that revision have been discarded
	 */
	watch(watcher: Watcher<T>, afterRevision: number, signal: AbortSignal): void {
		for (const event of this.#ring.after(afterRevision)) {
			if (signal.aborted) return;
			watcher.change(event);
		}
		if (!signal.aborted) this.#watchers.add(watcher, signal);
	}

	/** All watchers, for bookmarks and for the end of all watches. */
	watchers(): Iterable<Watcher> {
		return this.#watchers.all();
	}
}
