/**
 * Sets of field paths, in the form in which managedFields stores them (`FieldsV1`, KEP-555): a tree whose edges are
 * `f:name` (field or map key), `k:{"name":"web"}` (list item by its keys) and `v:"text"` (list item by its value).
 * A node without edges, or with the edge `.`, is itself in the set. The root is not: an empty root is the empty set.
 * Sets are never changed; an operation that changes nothing returns what it was given.
 */
export interface FieldSet {
	readonly [edge: string]: FieldSet;
}

const self = ".";

/** A node that is being made. */
export type OpenSet = Record<string, FieldSet>;

/**
 * A node for items of a list. Their keys are seldom the same (addresses, uids): the engine must not make a class of
 * objects for each, which takes longer than all the rest.
 */
export function itemsNode(): OpenSet {
	return Object.create(null);
}

/** An empty node for edges such as the set has. */
export function nodeLike(set: FieldSet): OpenSet {
	for (const edge in set) if (edge !== self) return edge.startsWith("f:") ? {} : itemsNode();
	return {};
}

function copyOf(set: FieldSet): OpenSet {
	return Object.assign(nodeLike(set), set);
}

export const emptySet: FieldSet = Object.freeze({});

export function isEmpty(set: FieldSet): boolean {
	for (const _ in set) return false;
	return true;
}

/** Whether the node itself, and not only something below it, is in the set. */
export function isMember(node: FieldSet): boolean {
	return self in node || isEmpty(node);
}

/** A node that is itself in the set, with all that is below it. */
export function asMember(node: FieldSet): FieldSet {
	if (isMember(node)) return node;
	const member = nodeLike(node);
	member[self] = emptySet;
	return Object.assign(member, node);
}

/** A node with these children; undefined when nothing would be left of it. */
function node(member: boolean, children: FieldSet): FieldSet | undefined {
	if (isEmpty(children)) return member ? emptySet : undefined;
	return member ? asMember(children) : children;
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
	let result: OpenSet | undefined;
	for (const edge in b) {
		const [mine, theirs] = [a[edge], b[edge] ?? emptySet];
		let joined = theirs;
		if (mine !== undefined && edge !== self) {
			joined = union(mine, theirs);
			if (isMember(mine) || isMember(theirs)) joined = asMember(joined);
		}
		if (joined === mine || (mine !== undefined && edge === self)) continue;
		result ??= isEmpty(a) ? nodeLike(b) : copyOf(a);
		result[edge] = joined;
	}
	return result ?? a;
}

/** All members of the sets, at a cost that grows with what they have, however many they are. */
export function unionOf(sets: readonly FieldSet[]): FieldSet {
	if (sets.length <= 2) return union(sets[0] ?? emptySet, sets[1] ?? emptySet);
	// By halves: joined one after the other, the first ones would be copied for each that follows.
	const half = sets.length >>> 1;
	return union(unionOf(sets.slice(0, half)), unionOf(sets.slice(half)));
}

/** Members of `a` that are not members of `b`. Costs no more for a large `b`: many sets are compared with one. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
	let result: OpenSet | undefined;
	for (const edge in a) {
		const [mine, theirs] = [a[edge] ?? emptySet, b[edge]];
		if (theirs === undefined || edge === self) continue;
		const children = withoutSelf(difference(mine, theirs));
		const left = node(isMember(mine) && !isMember(theirs), children);
		if (left !== undefined && equal(left, mine)) continue;
		result ??= copyOf(a);
		if (left === undefined) delete result[edge];
		else result[edge] = left;
	}
	return result ?? a;
}

/** Members of both. Costs no more for a large `b`. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
	const result = nodeLike(a);
	for (const edge in a) {
		const [mine, theirs] = [a[edge] ?? emptySet, b[edge]];
		if (theirs === undefined || edge === self) continue;
		const both = node(isMember(mine) && isMember(theirs), withoutSelf(intersection(mine, theirs)));
		if (both !== undefined) result[edge] = both;
	}
	return result;
}

function withoutSelf(set: FieldSet): FieldSet {
	if (!(self in set)) return set;
	const children = copyOf(set);
	delete children[self];
	return children;
}

export function equal(a: FieldSet, b: FieldSet): boolean {
	if (a === b) return true;
	let count = 0;
	for (const edge in a) {
		const [mine, theirs] = [a[edge], b[edge]];
		if (mine === undefined || theirs === undefined || !equal(mine, theirs)) return false;
		count++;
	}
	for (const _ in b) count--;
	return count === 0;
}

/** All members as messages name them: `.spec.containers[name="web"].image`. */
export function paths(set: FieldSet, prefix = ""): string[] {
	const found: string[] = [];
	for (const edge of Object.keys(set).sort()) {
		if (edge === self) continue;
		const below = set[edge] ?? emptySet;
		const path = prefix + edgeText(edge);
		if (isMember(below)) found.push(path);
		found.push(...paths(below, path));
	}
	return found;
}

function edgeText(edge: string): string {
	const content = edge.slice(2);
	if (edge.startsWith("f:")) return `.${content}`;
	if (edge.startsWith("v:")) return `[=${content}]`;
	const keys: Record<string, unknown> = JSON.parse(content);
	const texts = Object.entries(keys).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
	return `[${texts.join(",")}]`;
}
