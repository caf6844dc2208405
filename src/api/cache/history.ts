/** The size limit of the history of all resources. */
import type { CacheEvent } from "./event.ts";

/** The history of one resource. */
export interface Remembered {
	/** What it holds, as `CacheEvent.bytes` counts. */
	readonly heldBytes: number;
	/** Discards its oldest changes, at least this many bytes. */
	forget(bytes: number): void;
}

/** Bytes of superseded objects that are kept for watches that resume and lists of earlier revisions. */
const defaultHistoryBytes = 32 * 1024 * 1024;
/**
 * Bytes of objects of the newest changes that are also kept parsed and encoded, because many watchers will read them.
 */
const warmBytes = 2 * 1024 * 1024;
/** The amount to discard at a time, so that finding the largest history costs little per event. */
const trimmedShare = 1 / 8;

/**
 * One budget for the history of all resources. When it is exceeded, the resource with the largest history discards its
 * oldest changes: frequent writes or large objects of one resource do not shorten the history of others.
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

	/** The sum of `CacheEvent.bytes` in all rings. */
	get heldBytes(): number {
		return this.#heldBytes;
	}

	add(ring: Remembered): void {
		this.#rings.add(ring);
	}

	/** Its events are discarded. */
	remove(ring: Remembered): void {
		if (this.#rings.delete(ring)) this.#heldBytes -= ring.heldBytes;
	}

	/** A ring has a new event, for which rings may discard others. */
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
			// Until it is no longer the largest, or the limit is met.
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
