/**
 * Field sets that many objects share. Most objects of a kind have the same fields, and what hangs below a condition or
 * a container is the same even in sets that differ: kept once for all, a set costs an object little more than a
 * reference.
 */
import { emptySet, type FieldSet, nodeLike } from "./field-set.ts";

/** Of two generations each: what is used once in a while stays, and what was used once goes. */
const mostSets = 1024;
/** Nodes with longer texts are rare, and seldom the same. */
const longestText = 2048;

/** By edges, and numbers of the sets below them. */
let young = new Map<string, FieldSet>();
let old = new Map<string, FieldSet>();
const numbers = new WeakMap<FieldSet, number>([[emptySet, 0]]);
let lastNumber = 0;

/** Whether the set came out of `share`, and is thus well formed. */
export function isShared(set: object): boolean {
	// Nothing else is in there.
	return numbers.has(set as FieldSet);
}

/**
 * An equal set, sorted and frozen, which others may have, too. Equal sets are the same one as long as they are in use.
 */
export function share(set: FieldSet): FieldSet {
	if (numbers.has(set)) return set;
	const edges = Object.keys(set);
	if (edges.length === 0) return emptySet;
	edges.sort();
	const below = edges.map((edge) => share(set[edge] ?? emptySet));
	let text = "";
	for (const [index, edge] of edges.entries())
		text += `${edge.length}:${edge}${numbers.get(below[index] ?? emptySet)},`;
	const found = young.get(text) ?? old.get(text);
	if (found !== undefined) {
		if (!young.has(text)) keep(text, found);
		return found;
	}
	const node = nodeLike(set);
	for (const [index, edge] of edges.entries()) node[edge] = below[index] ?? emptySet;
	numbers.set(Object.freeze(node), ++lastNumber);
	if (text.length <= longestText) keep(text, node);
	return node;
}

function keep(text: string, set: FieldSet): void {
	young.set(text, set);
	if (young.size < mostSets) return;
	old = young;
	young = new Map();
}
