/** What the clients of one listening server may take of it: time, connections and memory. */
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
	/** For an answer to be taken, besides the time that its size allows. */
	answerMs: number;
	/** A client that takes a large answer more slowly is cut off. */
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

/** Of a request's head; upstream's limit, which is Go's. Command lines of exec stand there. */
export const largestHeadBytes = 1024 * 1024;
/** Of a request's head. */
export const mostHeaderFields = 2000;
export const maxConnections = 16_384;
/** All bodies that are being received at a time. */
const bodiesBytes = 256 * 1024 * 1024;
/** Events that one watcher has not read yet. A watcher that exceeds this may list and watch again. */
const watchBytes = 8 * 1024 * 1024;
const leastWatchBytes = 512 * 1024;
/** All watchers together, while none has less than `leastWatchBytes`. */
const watchesBytes = 256 * 1024 * 1024;

/** How much one of as many watchers may be behind. */
export function watchBacklogBytes(watchCount: number): number {
	return Math.max(leastWatchBytes, Math.min(watchBytes, Math.floor(watchesBytes / Math.max(1, watchCount))));
}

/** The memory that bodies take while they come in and are worked on. */
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
