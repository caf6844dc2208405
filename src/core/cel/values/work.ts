import { Cancellation } from "./failure.ts";

/**
 * Work that upstream's costs leave out: comparing what lists and maps have in them, and copying where upstream shares.
 * It is counted beside the costs, so that these stay upstream's and an evaluation still ends. Negative outside of one.
 */
let done = -1;

/** Many times that of visiting all of the largest object that the API takes. */
const most = 10_000_000;

/** Counts items visited or copied. @throws Cancellation when an evaluation does too much */
export function countWork(amount: number): void {
	if (done < 0) return;
	done += amount;
	if (done > most) throw costLimitExceeded();
}

/** Counts from zero for an evaluation. @returns the count of the evaluation that this one is a part of */
export function beginWork(): number {
	const outer = done;
	done = 0;
	return outer;
}

/** Goes on with the count of the evaluation around the one that ends. */
export function endWork(outer: number): void {
	done = outer;
}

export function costLimitExceeded(): Cancellation {
	return new Cancellation("operation cancelled: actual cost limit exceeded");
}

/** The longest string that an expression may make, in UTF-16 units; upstream goes on until the memory ends. */
const longestText = 10_000_000;

/** @throws Cancellation when a string of this length would be too long */
export function checkTextLength(length: number): void {
	if (length > longestText) throw costLimitExceeded();
}
