import { Duration } from "./duration.ts";
import { fail, noSuchOverload } from "./failure.ts";
import { compareTimestamps, Timestamp } from "./timestamp.ts";
import { numeric, numericOrder } from "./value.ts";

/**
 * Negative, zero or positive as `a` sorts before, with or after `b`. Numbers compare by value across their types.
 * @throws Failure for values that have no order, or of two types
 */
export function compare(a: unknown, b: unknown): number {
	if (typeof a === "string") return typeof b === "string" ? compareText(a, b) : noSuchOverload();
	const order = numericOrder(a, b);
	if (order !== undefined) return order;
	if (numeric(a) !== undefined && numeric(b) !== undefined) fail("NaN values cannot be ordered");
	if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
	if (a instanceof Timestamp && b instanceof Timestamp) return compareTimestamps(a, b);
	if (a instanceof Duration && b instanceof Duration) return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
	if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
	return noSuchOverload();
}

const surrogate = /[\ud800-\udfff]/;

/** By code points, as UTF-8 sorts; JavaScript's own order is that of UTF-16. */
export function compareText(a: string, b: string): number {
	if (a === b) return 0;
	if (!surrogate.test(a) && !surrogate.test(b)) return a < b ? -1 : 1;
	return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
