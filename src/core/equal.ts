/** Equality of JSON values. Callers choose by name what counts as a difference. */
import { compareQuantities } from "./quantity.ts";

/**
 * Whether two JSON values are the same: the order of fields does not count, and a field that is undefined is no field.
 * For what is parsed from JSON, and for objects that the API has decoded, which have quantities and times in one form.
 */
export function sameJson(a: unknown, b: unknown): boolean {
	if (a === b) return true;
	if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
	if (Array.isArray(a)) return Array.isArray(b) && sameItems(a, b, sameJson);
	// Neither null nor lists, as JSON has them.
	return !Array.isArray(b) && sameFields(a as Fields, b as Fields);
}

type Fields = Record<string, unknown>;

/** As `sameJson` for objects, apart from some of their fields. */
export function sameFields(a: Readonly<Fields>, b: Readonly<Fields>, except?: ReadonlySet<string>): boolean {
	// By number, not by looking up: what every object inherits, such as `constructor`, is no field of either.
	let fieldCount = 0;
	for (const key in a) {
		if (a[key] === undefined || except?.has(key)) continue;
		if (!sameJson(a[key], b[key]) || (key === "__proto__" && !Object.hasOwn(b, key))) return false;
		fieldCount++;
	}
	for (const key in b) if (b[key] !== undefined && !except?.has(key)) fieldCount--;
	return fieldCount === 0;
}

/**
 * Whether two values mean the same to the API (upstream's `equality.Semantic`): as `sameJson`, and null and an empty
 * list are no value either. For what was put together here and what the API has made of it. An empty object counts,
 * as `emptyDir: {}` does.
 */
export function semanticEqual(a: unknown, b: unknown): boolean {
	if (a === b) return true;
	if (isNothing(a) || isNothing(b)) return isNothing(a) && isNothing(b);
	if (typeof a !== "object" || typeof b !== "object") return false;
	if (Array.isArray(a)) return Array.isArray(b) && sameItems(a, b, semanticEqual);
	if (Array.isArray(b)) return false;
	// Neither null nor lists, as JSON has them.
	const [left, right] = [a as Fields, b as Fields];
	let fieldCount = 0;
	for (const key in left) {
		if (isNothing(left[key])) continue;
		if (!semanticEqual(left[key], right[key]) || (key === "__proto__" && !Object.hasOwn(right, key))) return false;
		fieldCount++;
	}
	for (const key in right) if (!isNothing(right[key])) fieldCount--;
	return fieldCount === 0;
}

function isNothing(value: unknown): value is null | undefined | [] {
	return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

function sameItems(a: readonly unknown[], b: readonly unknown[], same: typeof sameJson): boolean {
	if (a.length !== b.length) return false;
	for (let index = 0; index < a.length; index++) if (!same(a[index], b[index])) return false;
	return true;
}

type Quantities = Readonly<Record<string, string>>;

/** Whether two lists of quantities have the same names with the same values: `1024Ki` is `1Mi`. @throws Error */
export function sameQuantities(a: Quantities = {}, b: Quantities = {}): boolean {
	const names = Object.keys(a);
	if (names.length !== Object.keys(b).length) return false;
	return names.every((name) => {
		const [left = "", right] = [a[name], b[name]];
		return right !== undefined && (left === right || compareQuantities(left, right) === 0);
	});
}
