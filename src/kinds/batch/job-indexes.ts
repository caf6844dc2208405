/**
 * Parses indexes of a Job in the form of its status: `1,3-5,7`.
 * @param completions indexes must be less than this
 * @returns intervals, both ends included, in order; or the problem of the text
 */
export function parseIndexes(text: string, completions: number): (readonly [number, number])[] | string {
	const intervals: (readonly [number, number])[] = [];
	if (text === "") return intervals;
	let previous = -1;
	for (const part of text.split(",")) {
		const match = /^(\d+)(?:-(\d+))?$/.exec(part);
		if (match === null) return `cannot convert string to integer for index: "${part}"`;
		const first = Number(match[1]);
		const last = match[2] === undefined ? first : Number(match[2]);
		if (first <= previous) return `non-increasing order, previous: ${previous}, current: ${first}`;
		if (last < first || (match[2] !== undefined && last === first))
			return `non-increasing order, previous: ${first}, current: ${last}`;
		if (last >= completions) return `too large index: "${last}"`;
		intervals.push([first, last]);
		previous = last;
	}
	return intervals;
}

/** The lowest index in both lists of intervals, each in order. */
export function firstCommonIndex(
	left: readonly (readonly [number, number])[],
	right: readonly (readonly [number, number])[],
): number | undefined {
	let place = 0;
	for (const [first, last] of left) {
		while ((right[place]?.[1] ?? last) < first) place++;
		const other = right[place];
		if (other !== undefined && other[0] <= last) return Math.max(first, other[0]);
	}
	return undefined;
}
