/** Remembers what tokens turned out to say, because verifying a signature costs a hundred times what looking it up does. */
import { createHash } from "node:crypto";
import type { Clock } from "../../core/clock.ts";

const limit = 2048;
const lifeMs = 10 * 60_000;

interface Entry<T> {
	value: T;
	untilMs: number;
}

/**
 * The 2,048 tokens last verified, each for ten minutes, by their digests: the tokens themselves are not kept. Only what a token
 * says is remembered; whether it holds now is for the caller to find out each time.
 */
export class RecentTokens<T extends object> {
	readonly #clock: Clock;
	readonly #byDigest = new Map<string, Entry<T>>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** @param verify the result of a token not seen lately; undefined is not remembered */
	get(token: string, verify: () => T | undefined): T | undefined {
		const digest = createHash("sha256").update(token).digest("base64");
		const nowMs = this.#clock.monotonicMs();
		const found = this.#byDigest.get(digest);
		if (found !== undefined) {
			if (nowMs < found.untilMs) return found.value;
			this.#byDigest.delete(digest);
		}
		const value = verify();
		if (value === undefined) return undefined;
		if (this.#byDigest.size >= limit)
			for (const oldest of this.#byDigest.keys()) {
				this.#byDigest.delete(oldest);
				break;
			}
		this.#byDigest.set(digest, { value, untilMs: nowMs + lifeMs });
		return value;
	}
}
