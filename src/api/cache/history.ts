/** How much of the past all resources keep together, and in which form. */
import type { CacheEvent } from "./event.ts";

/** The history of one resource. */
export interface Remembered {
	/** What it holds, as `CacheEvent.bytes` counts. */
	readonly heldBytes: number;
	/** Discards its oldest changes, at least this many bytes. */
	forget(bytes: number): void;
}

/** Bytes of superseded objects that are kept for watches that resume and lists that look back. */
const defaultHistoryBytes = 32 * 1024 * 1024;
/**
 * Bytes of objects of the newest changes, which are kept parsed and encoded besides: many watchers are about to read
 * them.
 */
const warmBytes = 2 * 1024 * 1024;
/** The amount to discard at a time, so that finding the largest history costs little per event. */
const trimmedShare = 1 / 8;

/**
 * One budget for the history of every resource. When it is used up, the resource with the largest history forgets its
 * oldest changes: one that is written much or has large objects does not cost the others their past.
 */
export class History {
	readonly #limitBytes: number;
	readonly #rings = new Set<Remembered>();
	#heldBytes = 0;
	/** Newest events, oldest first from `#warmStart` on. */
	#warm: (CacheEvent | undefined)[] = [];
	#warmStart = 0;
	#warmHeldBytes = 0;

	constructor(limitBytes = defaultHistoryBytes) {
		this.#limitBytes = limitBytes;
	}

	/** What all rings hold, as `CacheEvent.bytes` counts. */
	get heldBytes(): number {
		return this.#heldBytes;
	}

	add(ring: Remembered): void {
		this.#rings.add(ring);
	}

	/** Its events are no longer held. */
	remove(ring: Remembered): void {
		if (this.#rings.delete(ring)) this.#heldBytes -= ring.heldBytes;
	}

	/** A ring holds one more event; rings forget others for it. */
	took(event: CacheEvent): void {
		this.#heldBytes += event.bytes;
		this.#keepWarm(event);
		if (this.#heldBytes > this.#limitBytes) this.#trim(this.#limitBytes * (1 - trimmedShare));
	}

	/** The amount that a ring has discarded by itself. */
	released(bytes: number): void {
		this.#heldBytes -= bytes;
	}

	#trim(toBytes: number): void {
		while (this.#heldBytes > toBytes) {
			let largest: Remembered | undefined;
			let second = 0;
			for (const ring of this.#rings) {
				if (largest === undefined || ring.heldBytes > largest.heldBytes) {
					second = largest?.heldBytes ?? 0;
					largest = ring;
				} else second = Math.max(second, ring.heldBytes);
			}
			if (largest === undefined || largest.heldBytes === 0) return;
			// Until it is no longer the largest, or all is well.
			const excess = Math.min(this.#heldBytes - toBytes, Math.max(largest.heldBytes - second, 1));
			largest.forget(excess);
		}
	}

	#keepWarm(event: CacheEvent): void {
		this.#warm.push(event);
		this.#warmHeldBytes += event.warmBytes;
		while (this.#warmHeldBytes > warmBytes && this.#warmStart < this.#warm.length - 1) {
			const cold = this.#warm[this.#warmStart];
			this.#warm[this.#warmStart++] = undefined;
			this.#warmHeldBytes -= cold?.warmBytes ?? 0;
			cold?.cool();
		}
		if (this.#warmStart > 256 && this.#warmStart * 2 > this.#warm.length) {
			this.#warm = this.#warm.slice(this.#warmStart);
			this.#warmStart = 0;
		}
	}
}
