/** Lists whose items must differ: sets in what they are, keyed lists in their keys. */
import type { Cause } from "../../../core/errors.ts";
import { isRecord } from "../../../core/object.ts";
import { duplicate, invalidValue } from "../../../core/validation/field-errors.ts";
import { type Path, pathText } from "./path.ts";
import type { SchemaProps } from "./schema-props.ts";
import { type Sparse, sparse, visitSparse } from "./sparse.ts";

/** The keys of a keyed list; none for a set. */
type UniqueList = { keys: readonly string[] } | "set";

export type UniqueLists = Sparse<UniqueList>;

export function uniqueLists(schema: SchemaProps): UniqueLists | undefined {
	return sparse<UniqueList>(schema, (part) => {
		if (part["x-kubernetes-list-type"] === "set") return "set";
		if (part["x-kubernetes-list-type"] !== "map") return undefined;
		return { keys: part["x-kubernetes-list-map-keys"] ?? [] };
	});
}

export function listCauses(lists: UniqueLists | undefined, value: unknown): Cause[] {
	const causes: Cause[] = [];
	visitSparse(lists, value, (list, items, path) => {
		if (!Array.isArray(items)) return;
		if (list === "set") addRepeated(items, path, causes);
		else addSameKeys(items, list.keys, path, causes);
	});
	return causes;
}

function addSameKeys(items: readonly unknown[], keys: readonly string[], path: Path, causes: Cause[]): void {
	for (const [index, item] of items.entries()) {
		if (item === null || isRecord(item)) continue;
		causes.push(invalidValue(`${pathText(path)}[${index}]`, item, "must be an object for an array of list-type map"));
		return;
	}
	if (items.length < 2) return;
	const keyed = items.map((item) => {
		const values: Record<string, unknown> = {};
		if (isRecord(item))
			for (const key of keys) if (Object.hasOwn(item, key) && item[key] !== undefined) values[key] = item[key];
		return values;
	});
	addRepeated(keyed, path, causes);
}

/** Of duplicates, the second one is reported. */
function addRepeated(items: readonly unknown[], path: Path, causes: Cause[]): void {
	if (items.length < 2) return;
	const counts = new Map<unknown, number>();
	for (const [index, item] of items.entries()) {
		const identity = typeof item === "object" && item !== null ? canonical(item) : item;
		const count = (counts.get(identity) ?? 0) + 1;
		counts.set(identity, count);
		if (count === 2) causes.push(duplicate(`${pathText(path)}[${index}]`, item));
	}
}

/** A text that differs from that of every scalar, and does not depend on the order of fields. */
function canonical(value: object): string {
	return `\u0000${JSON.stringify(value, (_, part: unknown) =>
		isRecord(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
	)}`;
}
