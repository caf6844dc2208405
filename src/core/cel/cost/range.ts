/**
 * Sizes and costs between a least and a largest value. Upstream counts them in 64 bits without a sign and stops at the
 * largest of these; so do these functions, which round beyond 2^53.
 */
export interface Range {
	readonly min: number;
	readonly max: number;
}

/** The largest 64-bit number, as near as a double comes to it. */
export const unbounded = 2 ** 64;

export const unknownRange: Range = { min: 0, max: unbounded };
export const zero: Range = { min: 0, max: 0 };
export const one: Range = { min: 1, max: 1 };

export function fixed(value: number): Range {
	return { min: value, max: value };
}

export function addRanges(...ranges: readonly Range[]): Range {
	let [min, max] = [0, 0];
	for (const range of ranges) {
		min += range.min;
		max += range.max;
	}
	return { min: Math.min(min, unbounded), max: Math.min(max, unbounded) };
}

export function multiplyRanges(a: Range, b: Range): Range {
	return { min: Math.min(a.min * b.min, unbounded), max: Math.min(a.max * b.max, unbounded) };
}

/** Each end times a factor, rounded up. */
export function scaleRange(range: Range, factor: number): Range {
	return { min: scale(range.min, factor), max: scale(range.max, factor) };
}

export function unionOfRanges(a: Range, b: Range): Range {
	return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}

/** A size times a factor, rounded up. */
export function scale(size: number, factor: number): number {
	return Math.min(Math.ceil(size * factor), unbounded);
}
