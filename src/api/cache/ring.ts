/** The last changes of one resource, for watches that resume and lists that look back. */
import { ApiError } from "../../core/errors.ts";
import type { CacheEvent } from "./event.ts";

const none: readonly CacheEvent[] = [];

export class EventRing {
	readonly #limit: number;
	/** Changes at and below this revision are forgotten. */
	#forgottenRevision: number;
	#events: CacheEvent[] = [];

	constructor(sinceRevision: number, limit: number) {
		this.#forgottenRevision = sinceRevision;
		this.#limit = limit;
	}

	/** @returns the changes that are forgotten from now on */
	push(event: CacheEvent): readonly CacheEvent[] {
		this.#events.push(event);
		// In strides, so that moving the array costs little per event.
		if (this.#events.length <= this.#limit * 1.5) return none;
		const dropped = this.#events.splice(0, this.#events.length - this.#limit);
		this.#forgottenRevision = dropped.at(-1)?.revision ?? this.#forgottenRevision;
		return dropped;
	}

	/**
	 * Changes after `revision`, oldest first.
	 * @throws ApiError `Expired`
	 */
	after(revision: number): readonly CacheEvent[] {
		this.#checkRemembered(revision);
		return this.#events.slice(this.#firstAfter(revision));
	}

	/**
	 * Changes after `revision`, newest first.
	 * @throws ApiError `Expired`
	 */
	*newestFirst(revision: number): Iterable<CacheEvent> {
		this.#checkRemembered(revision);
		for (let index = this.#events.length - 1; index >= 0; index--) {
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
		let low = 0;
		let high = this.#events.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((this.#events[middle]?.revision ?? 0) <= revision) low = middle + 1;
			else high = middle;
		}
		return low;
	}
}
