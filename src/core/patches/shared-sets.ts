/**
 * Field sets that many objects share. Most objects of a kind have the same fields, and what hangs below a condition or a
 * container is the same even in sets that differ: kept once for all, a set costs an object little more than a reference.
 */
import { emptySet, type FieldSet } from "./field-set.ts";

const mostSets = 1024;
/** Longer ones are rare, and seldom the same. */
const longestText = 4096;

/** By their JSON, those used last at the end. */
const byText = new Map<string, FieldSet>();
const shared = new WeakSet<FieldSet>([emptySet]);

/** Whether the set came out of `share`, and is thus well formed. */
export function isShared(set: object): boolean {
	// Nothing else is in there.
	return shared.has(set as FieldSet);
}

/** The set that others have already, if there is one. */
export function known(set: unknown): FieldSet | undefined {
	return typeof set === "object" && set !== null ? byText.get(JSON.stringify(set)) : undefined;
}

/** An equal set, frozen, which others may have, too. Equal sets are the same one as long as they are in use. */
export function share(set: FieldSet): FieldSet {
	if (shared.has(set)) return set;
	const text = JSON.stringify(set);
	if (text === "{}") return emptySet;
	const found = byText.get(text);
	if (found !== undefined) {
		byText.delete(text);
		byText.set(text, found);
		return found;
	}
	const copy: Record<string, FieldSet> = {};
	for (const edge in set) copy[edge] = share(set[edge] ?? emptySet);
	shared.add(Object.freeze(copy));
	if (text.length <= longestText) {
		byText.set(text, copy);
		for (const [oldest] of byText) {
			if (byText.size <= mostSets) break;
			byText.delete(oldest);
		}
	}
	return copy;
}
