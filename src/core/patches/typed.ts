/** Values seen through their types, as server-side apply sees them: which fields they have, how they differ and merge. */
import { setField } from "../object.ts";
import { badPatch } from "./errors.ts";
import { asMember, difference, emptySet, type FieldSet, intersection, isEmpty, isMember } from "./field-set.ts";
import { type FieldSchema, isObject, type JsonObject, jsonEqual, own, type Schemas } from "./schema.ts";

/** How a value is taken apart. What has no type is taken apart as far as it consists of objects. */
type Shape =
	| { form: "leaf" }
	| { form: "struct"; fields: Readonly<Record<string, FieldSchema>> }
	| { form: "map"; item: FieldSchema | undefined }
	| { form: "set" }
	| { form: "list"; item: FieldSchema; keys: readonly string[] };

const leaf: Shape = { form: "leaf" };
const scalars = new Set("string int32 int64 number boolean time microTime quantity intOrString bytes".split(" "));

function shapeOf(field: FieldSchema | undefined, value: unknown, schemas: Schemas): Shape {
	if (field === undefined) return isObject(value) ? { form: "map", item: undefined } : leaf;
	if (field.of === "array") {
		if (!Array.isArray(value)) return leaf;
		if (field.listType === "set") return { form: "set" };
		if (field.listType !== "map") return leaf;
		const item: FieldSchema = { type: field.type, ...(field.mapType && { mapType: field.mapType }) };
		return { form: "list", item, keys: field.listMapKeys ?? [] };
	}
	if (field.mapType === "atomic" || !isObject(value)) return leaf;
	if (field.of === "map") return { form: "map", item: { type: field.type } };
	if (field.of === "arrayMap") return { form: "map", item: { type: field.type, of: "array" } };
	const fields = schemas.type(field.type);
	if (fields !== undefined) return { form: "struct", fields };
	if (scalars.has(field.type) || (field.type === "any" && field.mapType !== "granular")) return leaf;
	return { form: "map", item: undefined };
}

function itemSchema(shape: Shape, key: string): FieldSchema | undefined {
	return shape.form === "struct" ? shape.fields[key] : shape.form === "map" ? shape.item : undefined;
}

/** Items of a set or keyed list by their edges, in order. Of several with one edge the first counts. */
function itemsByEdge(value: readonly unknown[], shape: Shape, schemas: Schemas): Map<string, unknown> {
	const items = new Map<string, unknown>();
	for (const item of value) {
		const edge = edgeOf(item, shape, schemas);
		if (!items.has(edge)) items.set(edge, item);
	}
	return items;
}

function edgeOf(item: unknown, shape: Shape, schemas: Schemas): string {
	if (shape.form !== "list" || !isObject(item)) return `v:${JSON.stringify(item)}`;
	const keys: JsonObject = {};
	for (const key of shape.keys.toSorted()) {
		const value = own(item, key) ?? schemas.type(shape.item.type)?.[key]?.default;
		if (value !== undefined) keys[key] = value;
	}
	return `k:${JSON.stringify(keys)}`;
}

/**
 * The fields a value has: its leaves, the items of its lists and the keys of its maps.
 * @param path where the value stands in a configuration, which must not name an item of a list twice nor without its
 * keys (else ApiError BadRequest); undefined for a stored object, where of several such items the first counts
 */
export function fieldsOf(value: unknown, field: FieldSchema | undefined, schemas: Schemas, path?: string): FieldSet {
	const shape = shapeOf(field, value, schemas);
	const set: Record<string, FieldSet> = {};
	if (shape.form === "leaf") return emptySet;
	if (isObject(value)) {
		for (const key of Object.keys(value)) {
			const below = fieldsOf(
				value[key],
				itemSchema(shape, key),
				schemas,
				path === undefined ? undefined : `${path}.${key}`,
			);
			set[`f:${key}`] = shape.form === "map" ? asMember(below) : below;
		}
	} else if (Array.isArray(value)) {
		for (const item of value) {
			const edge = edgeOf(item, shape, schemas);
			if (path !== undefined) checkEdge(edge, set, path);
			if (edge in set) continue;
			const inside = path === undefined ? undefined : `${path}[${edge.slice(2)}]`;
			set[edge] = shape.form === "list" ? asMember(fieldsOf(item, shape.item, schemas, inside)) : emptySet;
		}
	}
	return set;
}

function checkEdge(edge: string, seen: FieldSet, path: string): void {
	if (edge === "k:{}") throw badPatch(`${path}: associative list with keys has an element that omits all key fields`);
	if (edge in seen) throw badPatch(`${path}: duplicate entries for key ${edge.slice(2)}`);
}

/** Everything there is in a value, objects and lists themselves included. */
function everything(value: unknown, field: FieldSchema | undefined, schemas: Schemas): FieldSet {
	const shape = shapeOf(field, value, schemas);
	if (shape.form === "leaf") return emptySet;
	const set: Record<string, FieldSet> = {};
	if (isObject(value)) {
		for (const key of Object.keys(value)) {
			const schema = itemSchema(shape, key);
			const below = everything(value[key], schema, schemas);
			const { ".": _, ...inside } = below;
			// An object that is always there is not added: only what is in it.
			if (!alwaysThere(schema) || isEmpty(below)) set[`f:${key}`] = below;
			else set[`f:${key}`] = inside;
		}
	} else if (Array.isArray(value)) {
		for (const [edge, item] of itemsByEdge(value, shape, schemas))
			set[edge] = shape.form === "list" ? everything(item, shape.item, schemas) : emptySet;
	}
	return asMember(set);
}

function alwaysThere(field: FieldSchema | undefined): boolean {
	return isObject(field?.default);
}

export interface Differences {
	/** What was added or has another value. */
	changed: FieldSet;
	removed: FieldSet;
}

/** How the fields of `updated` differ from those of `old`, both objects of the type. */
export function compare(old: JsonObject, updated: JsonObject, field: FieldSchema, schemas: Schemas): Differences {
	const changed: Record<string, FieldSet> = {};
	const removed: Record<string, FieldSet> = {};
	compareInto({ changed, removed }, old, updated, field, schemas);
	return { changed, removed };
}

interface Collected {
	changed: Record<string, FieldSet>;
	removed: Record<string, FieldSet>;
}

function compareInto(
	found: Collected,
	old: unknown,
	updated: unknown,
	field: FieldSchema | undefined,
	schemas: Schemas,
) {
	const shape = shapeOf(field, updated, schemas);
	if (isObject(old) && isObject(updated)) {
		for (const key of Object.keys(updated))
			compareEdge(found, `f:${key}`, own(old, key), updated[key], itemSchema(shape, key), schemas);
		for (const key of Object.keys(old))
			if (!Object.hasOwn(updated, key))
				compareEdge(found, `f:${key}`, old[key], undefined, itemSchema(shape, key), schemas);
	} else if (Array.isArray(old) && Array.isArray(updated)) {
		const [before, after] = [itemsByEdge(old, shape, schemas), itemsByEdge(updated, shape, schemas)];
		const item = shape.form === "list" ? shape.item : { type: "string" };
		for (const [edge, value] of after) compareEdge(found, edge, before.get(edge), value, item, schemas);
		for (const [edge, value] of before) if (!after.has(edge)) compareEdge(found, edge, value, undefined, item, schemas);
	}
}

function compareEdge(
	found: Collected,
	edge: string,
	before: unknown,
	after: unknown,
	field: FieldSchema | undefined,
	schemas: Schemas,
): void {
	const old = before === undefined && alwaysThere(field) ? {} : before;
	const updated = after === undefined && alwaysThere(field) && before !== undefined ? {} : after;
	if (old === updated) return;
	if (old === undefined) found.changed[edge] = everything(updated, field, schemas);
	else if (updated === undefined) found.removed[edge] = everything(old, field, schemas);
	else if (isLeaf(old, field, schemas) || isLeaf(updated, field, schemas)) {
		if (!jsonEqual(old, updated)) found.changed[edge] = emptySet;
	} else {
		const below: Collected = { changed: {}, removed: {} };
		compareInto(below, old, updated, field, schemas);
		if (!isEmpty(below.changed)) found.changed[edge] = below.changed;
		if (!isEmpty(below.removed)) found.removed[edge] = below.removed;
	}
}

function isLeaf(value: unknown, field: FieldSchema | undefined, schemas: Schemas): boolean {
	return shapeOf(field, value, schemas).form === "leaf";
}

/** The live value with all that the configuration says laid over it; shares parts with both. */
export function merge(live: unknown, config: unknown, field: FieldSchema | undefined, schemas: Schemas): unknown {
	if (config === undefined) return live;
	const shape = shapeOf(field, config, schemas);
	if (live === undefined || shape.form === "leaf") return config;
	if (isObject(live) && isObject(config)) {
		const result: JsonObject = { ...live };
		for (const key of Object.keys(config))
			setField(result, key, merge(own(live, key), config[key], itemSchema(shape, key), schemas));
		return result;
	}
	if (!Array.isArray(live) || !Array.isArray(config)) return config;
	return mergeItems(live, config, shape, schemas);
}

/** Items of the configuration in its order; before each stand the live-only items that stood before it. */
function mergeItems(live: unknown[], config: unknown[], shape: Shape, schemas: Schemas): unknown[] {
	const liveItems = itemsByEdge(live, shape, schemas);
	const wanted = itemsByEdge(config, shape, schemas);
	const liveEdges = live.map((item) => edgeOf(item, shape, schemas));
	const result: unknown[] = [];
	let next = 0;
	const takeLiveOnly = () => {
		for (let edge = liveEdges[next]; edge !== undefined && !wanted.has(edge); edge = liveEdges[next])
			result.push(live[next++]);
	};
	for (const [edge, item] of wanted) {
		takeLiveOnly();
		result.push(shape.form === "list" ? merge(liveItems.get(edge), item, shape.item, schemas) : item);
		if (liveEdges[next] === edge) next++;
	}
	for (; next < live.length; next++) if (!wanted.has(liveEdges[next] ?? "")) result.push(live[next]);
	return result;
}

/** The value without the members of the set. Undefined when nothing is left. */
function removeItems(value: unknown, set: FieldSet, field: FieldSchema | undefined, schemas: Schemas): unknown {
	const shape = shapeOf(field, value, schemas);
	if (shape.form === "leaf" || isEmpty(set)) return value;
	if (isObject(value)) {
		const result: JsonObject = {};
		for (const key of Object.keys(value)) {
			const left = remaining(value[key], set[`f:${key}`], itemSchema(shape, key), schemas);
			if (left !== undefined) setField(result, key, left);
		}
		return isEmptyObject(result) ? undefined : result;
	}
	if (!Array.isArray(value)) return value;
	const item = shape.form === "list" ? shape.item : undefined;
	const result = value
		.map((found) => remaining(found, set[edgeOf(found, shape, schemas)], item, schemas))
		.filter((found) => found !== undefined);
	return result.length === 0 ? undefined : result;
}

function remaining(
	value: unknown,
	node: FieldSet | undefined,
	field: FieldSchema | undefined,
	schemas: Schemas,
): unknown {
	if (node === undefined) return value;
	return isMember(node) ? undefined : removeItems(value, node, field, schemas);
}

function isEmptyObject(object: JsonObject): boolean {
	return Object.keys(object).length === 0;
}

/** The set with each object field on the way to a member as a member too, so that emptied objects go with their content. */
function withObjects(set: FieldSet, field: FieldSchema | undefined, schemas: Schemas): FieldSet {
	const result: Record<string, FieldSet> = {};
	const fields = field === undefined || field.of !== undefined ? undefined : schemas.type(field.type);
	for (const edge of Object.keys(set)) {
		const below = set[edge] ?? emptySet;
		const named = edge.startsWith("f:") ? fields?.[edge.slice(2)] : undefined;
		const schema = named ?? itemOf(field);
		const inside = withObjects(below, schema, schemas);
		result[edge] = named !== undefined || isMember(below) ? asMember(inside) : inside;
	}
	return result;
}

function itemOf(field: FieldSchema | undefined): FieldSchema | undefined {
	if (field?.of === undefined) return undefined;
	return field.of === "arrayMap" ? { type: field.type, of: "array" } : { type: field.type };
}

/**
 * Takes out of the merged object what the applier had applied before, applies no longer, and nobody else owns.
 * @param owned what all managers own now, the applier's new set included
 */
export function prune(
	merged: JsonObject,
	last: FieldSet,
	owned: FieldSet,
	field: FieldSchema,
	schemas: Schemas,
): JsonObject {
	const members = (value: unknown) => withObjects(fieldsOf(value ?? {}, field, schemas), field, schemas);
	const lastMembers = withObjects(last, field, schemas);
	const ownedMembers = withObjects(owned, field, schemas);
	const without = (set: FieldSet) => removeItems(merged, set, field, schemas);
	const all = members(merged);
	// Taking an item out takes its content along: bring back what others own of it, then what nobody had applied.
	const stillOwned = without(difference(difference(all, members(without(lastMembers))), ownedMembers));
	const left = without(intersection(difference(all, members(stillOwned)), lastMembers));
	return isObject(left) ? left : {};
}
