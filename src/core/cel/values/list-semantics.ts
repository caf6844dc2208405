/** Lists that a schema declares to be sets or maps (`x-kubernetes-list-type`): their order does not count. */
export type ListSemantics = { readonly kind: "set" } | { readonly kind: "map"; readonly keys: readonly string[] };

/** Lists are raw JSON: what is known of them stands beside them. */
const known = new WeakMap<readonly unknown[], ListSemantics>();

export function markList(list: readonly unknown[], semantics: ListSemantics): void {
	known.set(list, semantics);
}

/** Undefined for lists whose order counts. */
export function semanticsOf(list: readonly unknown[]): ListSemantics | undefined {
	return known.get(list);
}

/** What items are one and the same by. */
export function identityOf(item: unknown, semantics: ListSemantics): string {
	if (semantics.kind === "set")
		return `${typeof item} ${typeof item === "object" ? JSON.stringify(item) : String(item)}`;
	if (typeof item !== "object" || item === null) return String(item);
	// Keys of a list that is a map name fields of its items, which are objects.
	const fields = item as Readonly<Record<string, unknown>>;
	return JSON.stringify(semantics.keys.map((key) => fields[key] ?? null));
}

/**
 * Both lists as one: an item of the second takes the place of one of the first that it is the same as, and comes last
 * otherwise.
 */
export function joinLists(a: readonly unknown[], b: readonly unknown[], semantics: ListSemantics): unknown[] {
	const places = new Map(a.map((item, index) => [identityOf(item, semantics), index]));
	const joined = [...a];
	for (const item of b) {
		const identity = identityOf(item, semantics);
		const place = places.get(identity);
		if (place === undefined) {
			places.set(identity, joined.length);
			joined.push(item);
		} else if (semantics.kind === "map") joined[place] = item;
	}
	markList(joined, semantics);
	return joined;
}
