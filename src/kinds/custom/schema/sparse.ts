/** The few parts of a schema that some check is about, and the way there: walks over values skip all the rest. */
import { isRecord } from "../../../core/object.ts";
import type { Path } from "./path.ts";
import { itemsOf, type SchemaProps, valuesOf } from "./schema-props.ts";

export interface Sparse<T> {
	readonly here: T | undefined;
	readonly fields: ReadonlyMap<string, Sparse<T>> | undefined;
	/** Of values under keys that are no fields. */
	readonly values: Sparse<T> | undefined;
	readonly items: Sparse<T> | undefined;
}

/**
 * @param pick what a part of the schema has to say; undefined: nothing
 * @returns undefined when no part of the schema has
 */
export function sparse<T>(schema: SchemaProps, pick: (schema: SchemaProps) => T | undefined): Sparse<T> | undefined {
	const here = pick(schema);
	let fields: Map<string, Sparse<T>> | undefined;
	for (const [name, field] of Object.entries(schema.properties ?? {})) {
		const below = sparse(field, pick);
		if (below === undefined) continue;
		fields ??= new Map();
		fields.set(name, below);
	}
	const [itemSchema, valueSchema] = [itemsOf(schema), valuesOf(schema)];
	const items = itemSchema && sparse(itemSchema, pick);
	const values = valueSchema && sparse(valueSchema, pick);
	if (here === undefined && fields === undefined && items === undefined && values === undefined) return undefined;
	return { here, fields, values, items };
}

/**
 * Calls `visit` for every part of a value that a part of the schema is about, from the outside in.
 * @param path of the value, which `visit` may read, but not keep; empty for the whole object
 */
export function visitSparse<T>(
	tree: Sparse<T> | undefined,
	value: unknown,
	visit: (what: T, value: unknown, path: Path) => void,
	path: Path = [],
): void {
	if (tree === undefined) return;
	const { here, fields, values, items } = tree;
	if (here !== undefined) visit(here, value, path);
	if (Array.isArray(value)) {
		for (let index = 0; items !== undefined && index < value.length; index++)
			visitPart(items, value[index], index, visit, path);
	} else if (isRecord(value)) {
		if (fields !== undefined)
			for (const [name, below] of fields)
				if (Object.hasOwn(value, name)) visitPart(below, value[name], name, visit, path);
		if (values !== undefined)
			for (const key in value) if (fields?.has(key) !== true) visitPart(values, value[key], `[${key}]`, visit, path);
	}
}

function visitPart<T>(
	tree: Sparse<T>,
	value: unknown,
	part: string | number,
	visit: (what: T, value: unknown, path: Path) => void,
	path: Path,
): void {
	if (value === undefined) return;
	path.push(part);
	visitSparse(tree, value, visit, path);
	path.pop();
}
