/** How server-side apply takes values apart, by their types. */
import { type FieldSchema, isObject, type JsonObject, own, type Schemas } from "./schema.ts";

/** How a value is taken apart. What has no type is taken apart as far as it consists of objects. */
export type Shape =
	| { form: "leaf" }
	| { form: "struct"; fields: Readonly<Record<string, FieldSchema>> }
	| { form: "map"; item: FieldSchema | undefined }
	| { form: "set" }
	| { form: "list"; item: FieldSchema; keys: readonly string[] };

const leaf: Shape = { form: "leaf" };
const scalars = new Set("string int32 int64 number boolean time microTime quantity intOrString bytes".split(" "));

export function shapeOf(field: FieldSchema | undefined, value: unknown, schemas: Schemas): Shape {
	if (field === undefined) return isObject(value) ? { form: "map", item: undefined } : leaf;
	if (field.of === "array") {
		if (!Array.isArray(value)) return leaf;
		if (field.listType === "set") return { form: "set" };
		if (field.listType !== "map") return leaf;
		return { form: "list", item: contentOf(field), keys: field.listMapKeys ?? [] };
	}
	if (field.mapType === "atomic" || !isObject(value)) return leaf;
	if (field.of !== undefined) return { form: "map", item: contentOf(field) };
	const fields = schemas.type(field.type);
	if (fields !== undefined) return { form: "struct", fields };
	if (scalars.has(field.type) || (field.type === "any" && field.mapType !== "granular")) return leaf;
	return { form: "map", item: undefined };
}

/** The items of a list, or the values of a map. */
export function contentOf(field: FieldSchema): FieldSchema {
	if (field.items !== undefined) return field.items;
	if (field.of === "arrayMap") return { type: field.type, of: "array" };
	// Of a list it is said of each item, of a map of the whole.
	return field.of === "array" && field.mapType !== undefined
		? { type: field.type, mapType: field.mapType }
		: { type: field.type };
}

export function itemSchema(shape: Shape, key: string): FieldSchema | undefined {
	return shape.form === "struct" ? shape.fields[key] : shape.form === "map" ? shape.item : undefined;
}

/** Items of a set or keyed list by their edges, in order. Of several with one edge the first counts. */
export function itemsByEdge(value: readonly unknown[], shape: Shape, schemas: Schemas): Map<string, unknown> {
	const items = new Map<string, unknown>();
	for (const item of value) {
		const edge = edgeOf(item, shape, schemas);
		if (!items.has(edge)) items.set(edge, item);
	}
	return items;
}

/** What JSON writes as it is. */
const plain = /^[\w./:-]*$/;

export function edgeOf(item: unknown, shape: Shape, schemas: Schemas): string {
	if (shape.form !== "list" || !isObject(item)) return `v:${JSON.stringify(item)}`;
	const [first = ""] = shape.keys;
	const only = shape.keys.length === 1 ? item[first] : undefined;
	if (typeof only === "string" && plain.test(only) && plain.test(first)) return `k:{"${first}":"${only}"}`;
	const keys: JsonObject = {};
	for (const key of shape.keys.toSorted()) {
		const value = own(item, key) ?? schemas.type(shape.item.type)?.[key]?.default;
		if (value !== undefined) keys[key] = value;
	}
	return `k:${JSON.stringify(keys)}`;
}

/**
 * Whether two short lists have items of the same keys in the same order, and none twice: most lists that change do, and
 * their items need not be looked for. May be false although they have.
 */
export function areAligned(old: readonly unknown[], updated: readonly unknown[], shape: Shape): boolean {
	if (shape.form !== "list" || shape.keys.length !== 1 || old.length !== updated.length || old.length > 8) return false;
	const [key = ""] = shape.keys;
	for (let index = 0; index < old.length; index++) {
		const [before, after] = [old[index], updated[index]];
		if (!isObject(before) || !isObject(after)) return false;
		const value = after[key];
		if (typeof value !== "string" || value !== before[key]) return false;
		for (let earlier = 0; earlier < index; earlier++) {
			const other = updated[earlier];
			if (isObject(other) && other[key] === value) return false;
		}
	}
	return true;
}
