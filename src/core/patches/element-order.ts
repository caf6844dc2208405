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
	const last = Number.POSITIVE_INFINITY;
	const named: Placed[] = [];
	const others: Placed[] = [];
	for (const item of merged) {
		const name = identity(item, mergeKey);
		const place = wanted.get(name);
		const livePlace = livePlaces.get(name) ?? last;
		if (place === undefined) others.push({ item, place: livePlace, livePlace });
		else named.push({ item, place, livePlace });
	}
	named.sort(byPlace);
	others.sort(byPlace);
	const result: unknown[] = [];
	let next = 0;
	for (const { item, livePlace } of named) {
		for (; next < others.length; next++) {
			const other = others[next];
			if (other === undefined || livePlace === last || other.livePlace >= livePlace) break;
			result.push(other.item);
		}
		result.push(item);
	}
	return result.concat(others.slice(next).map(({ item }) => item));
}

/** An item with its place in the list that says where it goes, and in the live one; infinite where it is in neither. */
interface Placed {
	item: unknown;
	place: number;
	livePlace: number;
}

function byPlace(a: Placed, b: Placed): number {
	return a.place === b.place ? 0 : a.place - b.place;
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

function places(items: readonly unknown[], mergeKey: string | undefined): Map<unknown, number> {
	const found = new Map<unknown, number>();
	for (const [index, item] of items.entries()) {
		const name = identity(item, mergeKey);
		if (!found.has(name)) found.set(name, index);
	}
	return found;
}

/** What an item is known by. */
function identity(item: unknown, mergeKey: string | undefined): unknown {
	return keyIdentity(mergeKey !== undefined && isObject(item) ? item[mergeKey] : item);
}

/** What a merge key, or a scalar, is known by in a Map. */
export function keyIdentity(key: unknown): unknown {
	return typeof key === "object" && key !== null ? JSON.stringify(key) : key;
}
