/**
 * How many objects one answer to a list has at most. Where any state will do, it comes in one piece, as upstream.
 * @param given `limit` of the query; NaN and what is not positive are none
 */
export function pageLimit(given: number, query: URLSearchParams): number {
	const isWhole = query.get("resourceVersion") === "0" && (query.get("continue") ?? "") === "";
	return given > 0 && !isWhole ? given : Number.POSITIVE_INFINITY;
}
