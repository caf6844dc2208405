/** The limits for clients of one listening server: time, connections and memory. */
import { tooManyRequests } from "../request/flow.ts";

export interface Timeouts {
	/** For the handshake of TLS. */
	handshakeMs: number;
	/** For the head of a request, once the first byte has come. */
	headMs: number;
	/** For the body of a request. */
	bodyMs: number;
	/** For a connection without a request, or a session without a stream. */
	idleMs: number;
	/** For reading a response, besides the time for its size. */
	answerMs: number;
	/** A client that reads a large response more slowly is disconnected. */
	slowestBytesPerSecond: number;
}

export const defaultTimeouts: Timeouts = {
	handshakeMs: 10_000,
	headMs: 30_000,
	bodyMs: 60_000,
	idleMs: 180_000,
	answerMs: 60_000,
	slowestBytesPerSecond: 64 * 1024,
};

/** For a request's head; upstream's limit, which is Go's. It contains the command lines of exec. */
export const largestHeadBytes = 1024 * 1024;
/** Of a request's head. */
export const mostHeaderFields = 2000;
export const maxConnections = 16_384;
/** The size of all bodies that are being received. */
const bodiesBytes = 256 * 1024 * 1024;
/** Events that one watcher has not read yet. A watcher that exceeds this may list and watch again. */
const watchBytes = 8 * 1024 * 1024;
const leastWatchBytes = 512 * 1024;
/** For all watchers together, unless one would have less than `leastWatchBytes`. */
const watchesBytes = 256 * 1024 * 1024;

/** The share of one of this many watchers. */
export function watchBacklogBytes(watchCount: number): number {
	return Math.max(leastWatchBytes, Math.min(watchBytes, Math.floor(watchesBytes / Math.max(1, watchCount))));
}

/** The memory of bodies while they are received and processed. */
export class BodyBudget {
	#usedBytes = 0;

	/** @throws ApiError TooManyRequests */
	take(byteCount: number): void {
		if (this.#usedBytes + byteCount > bodiesBytes) throw tooManyRequests();
		this.#usedBytes += byteCount;
	}

	give(byteCount: number): void {
		this.#usedBytes -= byteCount;
	}
}
