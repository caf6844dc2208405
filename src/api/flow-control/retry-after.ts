/**
 * How long refused clients are to stay away: longer the more of them come, so that they do not all come again at once.
 */

const longestSeconds = 32;

export class RetryAfter {
	#seconds = 1;
	#second = 0;
	#refused = 0;
	/** When the answer may change again, in seconds. */
	#settled = 0;

	/** Counts a refusal. @returns what to answer */
	refused(nowMs: number): number {
		const second = Math.floor(nowMs / 1000);
		if (second !== this.#second) {
			const perSecond = second - this.#second > this.#seconds ? 0 : this.#refused;
			if (second >= this.#settled) this.#adapt(perSecond, second);
			this.#second = second;
			this.#refused = 0;
		}
		this.#refused++;
		return this.#seconds;
	}

	#adapt(perSecond: number, second: number): void {
		const before = this.#seconds;
		if (perSecond < before) this.#seconds = Math.max(1, before - 1);
		else if (perSecond >= 3 * before) this.#seconds = Math.min(longestSeconds, 2 * before);
		if (this.#seconds !== before) this.#settled = second + this.#seconds;
	}
}
