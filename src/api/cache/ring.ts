/** The latest changes of one resource, for watches that resume and lists of earlier revisions. */

import { ApiError } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import type { CacheEvent } from "./event.ts";
import type { History, Remembered } from "./history.ts";

export class EventRing<T extends KubeObject = KubeObject> implements Remembered {
	readonly #limit: number;
	/** Changes up to this revision have been discarded. */
	#forgottenRevision: number;
	readonly #history: History;
	readonly #forgotten: ((event: CacheEvent<T>) => void) | undefined;
	/** Remembered from `#start` on. */
	#events: (CacheEvent<T> | undefined)[] = [];
	#start = 0;
	#heldBytes = 0;

	/**
	 * @param limit how many changes are remembered at most
	 * @param history the budget in bytes that all rings share
	 * @param forgotten called with each change that is forgotten from now on
	 */
	constructor(sinceRevision: number, limit: number, history: History, forgotten?: (event: CacheEvent<T>) => void) {
		this.#forgottenRevision = sinceRevision;
		this.#limit = limit;
		this.#history = history;
		this.#forgotten = forgotten;
		history.add(this);
	}

	get heldBytes(): number {
		return this.#heldBytes;
	}

	push(event: CacheEvent<T>): void {
		this.#events.push(event);
		this.#heldBytes += event.bytes;
		if (this.#events.length - this.#start > this.#limit) this.#drop();
		this.#history.took(event);
	}

	forget(bytes: number): void {
		const target = this.#heldBytes - bytes;
		while (this.#heldBytes > target && this.#start < this.#events.length) this.#drop();
	}

	#drop(): void {
		const event = this.#events[this.#start];
		if (event === undefined) return;
		this.#events[this.#start++] = undefined;
		this.#forgottenRevision = event.revision;
		this.#heldBytes -= event.bytes;
		this.#history.released(event.bytes);
		this.#forgotten?.(event);
		// Many at a time, so that moving the array costs little per event.
		if (this.#start < 64 || this.#start * 2 < this.#events.length) return;
		this.#events = this.#events.slice(this.#start);
		this.#start = 0;
	}

	/**
	 * Changes after `revision`, oldest first.
	 * @throws ApiError `Expired`
	 */
	after(revision: number): readonly CacheEvent<T>[] {
		this.#checkRemembered(revision);
		// Only discarded entries are undefined, which are before `#start`.
		return this.#events.slice(this.#firstAfter(revision)) as CacheEvent<T>[];
	}

	/**
	 * Changes after `revision`, newest first.
	 * @throws ApiError `Expired`
	 */
	*newestFirst(revision: number): Iterable<CacheEvent<T>> {
		this.#checkRemembered(revision);
		for (let index = this.#events.length - 1; index >= this.#start; index--) {
			const event = this.#events[index];
			if (event === undefined || event.revision <= revision) return;
			yield event;
		}
	}

	#checkRemembered(revision: number): void {
		if (revision >= this.#forgottenRevision) return;
		throw new ApiError("Expired", `too old resource version: ${revision} (${this.#forgottenRevision})`);
	}

	#firstAfter(revision: number): number {
		let low = this.#start;
		let high = this.#events.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((this.#events[middle]?.revision ?? 0) <= revision) low = middle + 1;
			else high = middle;
		}
		return low;
	}
}
