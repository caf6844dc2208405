/** Responses that clients have not read yet: each has a time limit, and all together have a memory limit. */
import type { Clock, Timer } from "../../core/time/clock.ts";
import type { Timeouts } from "./limits.ts";
import type { Presence } from "./presence.ts";

/** The limit for all responses together; a single one may exceed it. */
const answersBytes = 256 * 1024 * 1024;
/** If the limit is reached, responses older than this are dropped for new ones. */
const patienceMs = 5000;
/** Responses up to this size are never refused; refusals are among them. */
const smallBytes = 4096;
const longestSweepMs = 5000;

interface Answer {
	byteCount: number;
	sinceMs: number;
	cut(): void;
}

export class Answers {
	readonly #clock: Clock;
	readonly #timeouts: Timeouts;
	readonly #limitBytes: number;
	/** Oldest first. */
	readonly #untaken = new Set<Answer>();
	#usedBytes = 0;
	#sweep: Timer | undefined;

	constructor(clock: Clock, timeouts: Timeouts, limitBytes = answersBytes) {
		this.#clock = clock;
		this.#timeouts = timeouts;
		this.#limitBytes = limitBytes;
	}

	/**
	 * Registers a response before it is sent; it counts until the request ends.
	 * @param cut ends the connection, or the stream
	 * @returns false if the limit is reached: it must not be sent
	 */
	add(byteCount: number, client: Presence, cut: () => void): boolean {
		if (client.isGone) return true;
		const sinceMs = this.#clock.monotonicMs();
		if (byteCount > smallBytes && !this.#makeRoom(byteCount, sinceMs)) return false;
		const answer: Answer = { byteCount, sinceMs, cut };
		this.#untaken.add(answer);
		this.#usedBytes += byteCount;
		client.afterwards = () => this.#remove(answer);
		this.#sweepLater();
		return true;
	}

	#makeRoom(byteCount: number, nowMs: number): boolean {
		for (const answer of this.#untaken) {
			if (this.#fits(byteCount) || nowMs - answer.sinceMs < patienceMs) break;
			this.#end(answer);
		}
		return this.#fits(byteCount);
	}

	#fits(byteCount: number): boolean {
		return this.#usedBytes === 0 || this.#usedBytes + byteCount <= this.#limitBytes;
	}

	#end(answer: Answer): void {
		this.#remove(answer);
		answer.cut();
	}

	#remove(answer: Answer): void {
		if (this.#untaken.delete(answer)) this.#usedBytes -= answer.byteCount;
	}

	#sweepLater(): void {
		if (this.#sweep !== undefined) return;
		this.#sweep = this.#clock.after(Math.min(this.#timeouts.answerMs / 2, longestSweepMs), () => {
			this.#sweep = undefined;
			this.#endSlow(this.#clock.monotonicMs());
			if (this.#untaken.size > 0) this.#sweepLater();
		});
	}

	#endSlow(nowMs: number): void {
		const { answerMs, slowestBytesPerSecond } = this.#timeouts;
		for (const answer of this.#untaken) {
			const allowedMs = answerMs + (answer.byteCount / slowestBytesPerSecond) * 1000;
			if (nowMs - answer.sinceMs >= allowedMs) this.#end(answer);
		}
	}
}
