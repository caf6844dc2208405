/** The order of a merged list's items: that of the patch, with the items that only the server has kept in between. */
import { isObject } from "./schema.ts";

/**
 * The merged items in their order. Those that `order` names come in that order. Each other keeps its place among the
 * others, and stands before the first named item that it stood before in `live`.
 * @param mergeKey the key by which objects are known; undefined for scalars
 */
export function mergeOrder(
	merged: readonly unknown[],
	order: readonly unknown[],
	live: readonly unknown[],
	mergeKey: string | undefined,
): unknown[] {
	const wanted = places(order, mergeKey);
	const livePlaces = places(live, mergeKey);
	const place = (item: unknown, among: ReadonlyMap<string, number>) => among.get(identity(item, mergeKey));
	const last = Number.POSITIVE_INFINITY;
	const sorted = (items: unknown[], among: ReadonlyMap<string, number>) =>
		items.sort((a, b) => {
			const [one, other] = [place(a, among) ?? last, place(b, among) ?? last];
			return one === other ? 0 : one - other;
		});
	const named = sorted(
		merged.filter((item) => place(item, wanted) !== undefined),
		wanted,
	);
	const others = sorted(
		merged.filter((item) => place(item, wanted) === undefined),
		livePlaces,
	);
	const result: unknown[] = [];
	let next = 0;
	for (const item of named) {
		const itemPlace = place(item, livePlaces);
		for (; next < others.length; next++) {
			const otherPlace = place(others[next], livePlaces);
			if (itemPlace === undefined || otherPlace === undefined || otherPlace > itemPlace) break;
			result.push(others[next]);
		}
		result.push(item);
	}
	return [...result, ...others.slice(next)];
}

/** Whether `order` names all the items, and in the order in which they come. */
export function orderedLike(
	items: readonly unknown[],
	order: readonly unknown[],
	mergeKey: string | undefined,
): boolean {
	const wanted = places(order, mergeKey);
	let previous = -1;
	for (const item of items) {
		const place = wanted.get(identity(item, mergeKey));
		if (place === undefined || place < previous) return false;
		previous = place;
	}
	return true;
}

function places(items: readonly unknown[], mergeKey: string | undefined): Map<string, number> {
	const found = new Map<string, number>();
	for (const [index, item] of items.entries()) {
		const name = identity(item, mergeKey);
		if (!found.has(name)) found.set(name, index);
	}
	return found;
}

function identity(item: unknown, mergeKey: string | undefined): string {
	return JSON.stringify(mergeKey !== undefined && isObject(item) ? item[mergeKey] : item) ?? "";
}
