import { CelMap, mapSize } from "../values/cel-map.ts";
import { codePointCount } from "../values/text.ts";
import { CelValue, isPlainMap, LibraryValue, Optional } from "../values/value.ts";
import { countWork } from "../values/work.ts";
import { callCost, newListCost, perCharacter } from "./factors.ts";
import { scale } from "./range.ts";

/** What a value counts in costs: characters of a string, bytes, items, entries; 1 for all else. */
export function sizeOf(value: unknown): number {
	if (typeof value === "string") return codePointCount(value);
	if (typeof value !== "object" || value === null) return 1;
	if (Array.isArray(value) || value instanceof Uint8Array) return value.length;
	if (value instanceof CelMap || isPlainMap(value)) return mapSize(value);
	if (value instanceof Optional) return value.value === undefined ? 1 : sizeOf(value.value);
	return value instanceof CelValue && "costSize" in value ? Number(value.costSize) : 1;
}

/** The cost of comparing two values, which ends with the shorter one. */
export function comparison(a: unknown, b: unknown): number {
	if (a instanceof LibraryValue) return 1;
	if (typeof a === "string" && typeof b === "string") {
		const length = Math.min(a.length, b.length);
		// Counting characters takes longer than comparing short strings, and all of them cost the same.
		if (length <= 10) return length === 0 ? 0 : 1;
	}
	return scale(Math.min(sizeOf(a), sizeOf(b)), perCharacter);
}

/** The cost of visiting a list with everything in it. */
export function deepTraversal(value: unknown): number {
	if (typeof value === "string") return Math.floor(Buffer.byteLength(value) * perCharacter);
	if (value instanceof Uint8Array) return Math.floor(value.length * perCharacter);
	countWork(sizeOf(value));
	if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + deepTraversal(item), 0);
	if (value instanceof CelMap)
		return value.keys().reduce((sum: number, key) => sum + deepTraversal(key) + deepTraversal(value.get(key)), 0);
	if (isPlainMap(value))
		return Object.keys(value).reduce((sum, key) => sum + deepTraversal(key) + deepTraversal(value[key]), 0);
	return 1;
}

/** The cost of comparing all items of a list with each other and making a list of the result. */
export function selfComparison(list: readonly unknown[]): number {
	const [first] = list;
	const factor = typeof first === "string" || first instanceof Uint8Array ? 2 + perCharacter : 2;
	return Math.floor(list.length * list.length * factor) + callCost + newListCost;
}
