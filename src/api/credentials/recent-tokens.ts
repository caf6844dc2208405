/**
 * Caches verified tokens, because verifying a signature costs a hundred times as much as a lookup.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../../core/time/clock.ts";

const limit = 2048;
const usualLifeMs = 10 * 60_000;

interface Entry<T> {
	value: T;
	untilMs: number;
}

/**
 * The last 2,048 verified tokens, each for a while, by their digests: the tokens themselves are not kept. Only claims
 * are cached; the caller checks each time whether the token is still valid.
 */
export class RecentTokens<T extends object> {
	readonly #clock: Clock;
	readonly #lifeMs: number;
	readonly #byDigest = new Map<string, Entry<T>>();

	/** @param lifeMs default: ten minutes */
	constructor(clock: Clock, lifeMs = usualLifeMs) {
		this.#clock = clock;
		this.#lifeMs = lifeMs;
	}

	find(token: string): T | undefined {
		const digest = digestOf(token);
		const found = this.#byDigest.get(digest);
		if (found === undefined) return undefined;
		if (this.#clock.monotonicMs() < found.untilMs) return found.value;
		this.#byDigest.delete(digest);
		return undefined;
	}

	/** The oldest makes room. */
	remember(token: string, value: T): void {
		if (this.#byDigest.size >= limit)
			for (const oldest of this.#byDigest.keys()) {
				this.#byDigest.delete(oldest);
				break;
			}
		this.#byDigest.set(digestOf(token), { value, untilMs: this.#clock.monotonicMs() + this.#lifeMs });
	}
}

function digestOf(token: string): string {
	return createHash("sha256").update(token).digest("base64");
}
