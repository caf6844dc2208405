/** Choices from a seed: the same seed makes the same requests. */
import { type Random, seededRandom } from "../../src/core/time/clock.ts";

export class Chance {
	readonly random: Random;

	constructor(seed: number) {
		this.random = seededRandom(seed);
	}

	/** 0 to `below` - 1. */
	number(below: number): number {
		return Math.floor(this.random() * below);
	}

	/** True in one of `times` cases. */
	once(times: number): boolean {
		return this.number(times) === 0;
	}

	pick<T>(list: readonly T[]): T {
		if (list.length === 0) throw new Error("nothing to pick from");
		// The position is one of the list's.
		return list[this.number(list.length)] as T;
	}
}
