/** The form of a set of fields: what it is without the keys that each object has for itself. */
import { emptySet, type FieldSet, itemsNode, nodeLike, type OpenSet } from "./field-set.ts";
import { isParticular } from "./trails.ts";

const place = /(?<=[{,])"p:(\d+)"(?=:)/;

/** Of a set with the edges `p:0`, `p:1`, … in the places of particular keys. */
export class SetForm {
	readonly id: number;
	/** With the places. */
	readonly set: FieldSet;
	/** Nodes that have keys below them. */
	readonly #open: ReadonlySet<FieldSet>;
	/** Texts, and between them the numbers of keys. */
	readonly #parts: readonly string[];

	constructor(id: number, set: FieldSet, text: string) {
		this.id = id;
		this.set = set;
		this.#parts = text.split(place);
		const open = new Set<FieldSet>();
		if (this.hasKeys) findOpen(set, open);
		this.#open = open;
	}

	get hasKeys(): boolean {
		return this.#parts.length > 1;
	}

	filled(keys: readonly string[]): FieldSet {
		return this.#filledNode(this.set, keys);
	}

	#filledNode(node: FieldSet, keys: readonly string[]): FieldSet {
		if (!this.#open.has(node)) return node;
		const copy = nodeLike(node);
		for (const edge in node) copy[keyAt(edge, keys)] = this.#filledNode(node[edge] ?? emptySet, keys);
		return Object.freeze(copy);
	}

	json(keys: readonly string[]): string {
		const parts = this.#parts;
		let text = parts[0] ?? "";
		for (let index = 1; index < parts.length; index += 2)
			text += `${JSON.stringify(keys[Number(parts[index])])}${parts[index + 1]}`;
		return text;
	}
}

const placeMark = "p:";

function keyAt(edge: string, keys: readonly string[]): string {
	return edge.startsWith(placeMark) ? (keys[Number(edge.slice(placeMark.length))] ?? edge) : edge;
}

function findOpen(node: FieldSet, open: Set<FieldSet>): boolean {
	let isOpen = false;
	for (const edge in node) {
		const isBelow = findOpen(node[edge] ?? emptySet, open);
		if (isBelow || edge.startsWith(placeMark)) isOpen = true;
	}
	if (isOpen) open.add(node);
	return isOpen;
}

/**
 * The set, sorted and frozen, with places for its particular keys.
 * @param keys of the account so far; the set's are added
 */
export function withPlaces(set: FieldSet, keys: string[]): FieldSet {
	const edges = Object.keys(set).sort();
	if (edges.length === 0) return emptySet;
	const node: OpenSet = edges.some((edge) => edge.startsWith("f:")) ? {} : itemsNode();
	for (const edge of edges) {
		let number = keys.indexOf(edge);
		if (number < 0 && isParticular(edge, keys)) number = keys.push(edge) - 1;
		node[number < 0 ? edge : `${placeMark}${number}`] = withPlaces(set[edge] ?? emptySet, keys);
	}
	return Object.freeze(node);
}
