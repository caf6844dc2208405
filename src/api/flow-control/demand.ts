/** How many seats a level would use if it had them: those that are taken, and those that are waited for. */

/** Of what was needed before, after each period. */
const smoothing = 0.977;

export class Demand {
	#seats = 0;
	#sinceMs: number;
	#startMs: number;
	/** Of the seats, and of their square, over the time of the period. */
	#sum = 0;
	#squareSum = 0;
	#highest = 0;
	/** What to plan with: falls slowly, rises at once. */
	smoothed = 0;
	average = 0;
	deviation = 0;
	/** Of the last period. */
	high = 0;

	constructor(nowMs: number) {
		this.#sinceMs = nowMs;
		this.#startMs = nowMs;
	}

	set(seats: number, nowMs: number): void {
		this.#pass(nowMs);
		this.#seats = seats;
		if (seats > this.#highest) this.#highest = seats;
	}

	/** Ends a period. @returns whether anything was needed in it */
	endPeriod(nowMs: number): boolean {
		this.#pass(nowMs);
		const lengthMs = nowMs - this.#startMs;
		this.high = this.#highest;
		this.average = lengthMs > 0 ? this.#sum / lengthMs : 0;
		const variance = lengthMs > 0 ? this.#squareSum / lengthMs - this.average ** 2 : 0;
		this.deviation = Math.sqrt(Math.max(0, variance));
		const envelope = this.average + this.deviation;
		this.smoothed = this.high === 0 ? 0 : Math.max(envelope, smoothing * this.smoothed + (1 - smoothing) * envelope);
		this.#sum = 0;
		this.#squareSum = 0;
		this.#highest = this.#seats;
		this.#startMs = nowMs;
		return this.high > 0;
	}

	#pass(nowMs: number): void {
		const passedMs = nowMs - this.#sinceMs;
		this.#sum += this.#seats * passedMs;
		this.#squareSum += this.#seats ** 2 * passedMs;
		this.#sinceMs = nowMs;
	}
}
