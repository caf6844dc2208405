/**
 * Whether two JSON values mean the same: the order of fields does not count, and a field that is undefined is no field.
 */
export function sameJson(left: unknown, right: unknown): boolean {
	if (left === right) return true;
	if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
	if (Array.isArray(left) || Array.isArray(right)) {
		if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
		return left.every((part, index) => sameJson(part, right[index]));
	}
	// Neither null nor an array: plain objects, as JSON has them.
	const [a, b] = [left as Record<string, unknown>, right as Record<string, unknown>];
	for (const key in a) if (!sameJson(a[key], b[key])) return false;
	for (const key in b) if (b[key] !== undefined && a[key] === undefined) return false;
	return true;
}
