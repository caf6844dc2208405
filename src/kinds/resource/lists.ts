import type { Cause } from "../../core/errors.ts";
import { duplicate, tooMany } from "../../core/validation/field-errors.ts";

/** The problems of each item; of a list that is too long only that. */
export function each<T>(
	items: readonly T[] | undefined,
	most: number,
	path: string,
	check: (item: T, path: string) => Cause[],
): Cause[] {
	if (items === undefined) return [];
	if (items.length > most) return [tooMany(path, items.length, most)];
	return items.flatMap((item, index) => check(item, `${path}[${index}]`));
}

/** As `each`, with items that differ. */
export function distinct<T>(
	items: readonly T[] | undefined,
	most: number,
	path: string,
	check: (item: T, path: string) => Cause[],
	keyOf: (item: T) => unknown,
): Cause[] {
	if (items === undefined || items.length > most) return each(items, most, path, check);
	const causes = each(items, most, path, check);
	const keys = new Set<string>();
	for (const [index, item] of items.entries()) {
		const key = keyOf(item);
		const text = JSON.stringify(key);
		if (keys.has(text)) causes.push(duplicate(`${path}[${index}]`, key));
		keys.add(text);
	}
	return causes;
}

/** The problems of the keys and values of a map. @param most undefined: any number */
export function entries<T>(
	map: Readonly<Record<string, T>> | undefined,
	most: number | undefined,
	path: string,
	checkKey: (key: string, path: string) => Cause[],
	check: (value: T, path: string) => Cause[] = () => [],
): Cause[] {
	const all = Object.entries(map ?? {});
	if (most !== undefined && all.length > most) return [tooMany(path, all.length, most)];
	return all.flatMap(([key, value]) => [...checkKey(key, path), ...check(value, `${path}[${shortKey(key)}]`)]);
}

/** Upstream cuts the middle out of keys in paths. */
function shortKey(key: string): string {
	const longest = 96;
	if (key.length <= longest) return key;
	const kept = longest - 3;
	return `${key.slice(0, Math.floor((kept + 1) / 2))}...${key.slice(key.length - Math.floor(kept / 2))}`;
}
