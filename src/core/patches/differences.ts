/** Which fields of two objects differ. */
import { asMember, emptySet, type FieldSet, isEmpty, itemsNode, type OpenSet } from "./field-set.ts";
import { type FieldSchema, isObject, type JsonObject, jsonEqual, own, type Schemas } from "./schema.ts";
import { itemSchema, itemsByEdge, type Shape, shapeOf } from "./shapes.ts";

export interface Differences {
	/** What was added or has another value. */
	changed: FieldSet;
	removed: FieldSet;
}

interface Collected {
	changed: OpenSet;
	removed: OpenSet;
}

/** How the fields of `updated` differ from those of `old`, both objects of the type. */
export function compare(old: JsonObject, updated: JsonObject, field: FieldSchema, schemas: Schemas): Differences {
	const found: Collected = { changed: {}, removed: {} };
	compareInto(found, old, updated, field, schemas);
	return found;
}

/** Fields that nobody owns: at the top of an object, and in its metadata. */
export interface Unowned {
	top: ReadonlySet<string>;
	metadata: ReadonlySet<string>;
}

/** As `compare`, of whole objects, apart from what nobody owns. */
export function compareObjects(
	old: JsonObject,
	updated: JsonObject,
	field: FieldSchema,
	schemas: Schemas,
	{ top, metadata: unowned }: Unowned,
): Differences {
	const found: Collected = { changed: {}, removed: {} };
	const shape = shapeOf(field, updated, schemas);
	compareFields(found, old, updated, shape, schemas, top);
	const inMetadata: Collected = { changed: {}, removed: {} };
	const metadata = itemSchema(shape, "metadata");
	const [before, after] = [old["metadata"] ?? {}, updated["metadata"] ?? {}];
	if (isObject(before) && isObject(after))
		compareFields(inMetadata, before, after, shapeOf(metadata, after, schemas), schemas, unowned);
	attach(found, "f:metadata", inMetadata);
	return found;
}

function attach(found: Collected, edge: string, below: Collected): void {
	if (!isEmpty(below.changed)) found.changed[edge] = below.changed;
	if (!isEmpty(below.removed)) found.removed[edge] = below.removed;
}

function compareInto(
	found: Collected,
	old: unknown,
	updated: unknown,
	field: FieldSchema | undefined,
	schemas: Schemas,
): void {
	const shape = shapeOf(field, updated, schemas);
	if (isObject(old) && isObject(updated)) {
		compareFields(found, old, updated, shape, schemas);
	} else if (Array.isArray(old) && Array.isArray(updated)) {
		// Of most lists nothing changes, and looking for their items' keys takes long.
		if (jsonEqual(old, updated)) return;
		const [before, after] = [itemsByEdge(old, shape, schemas), itemsByEdge(updated, shape, schemas)];
		const item = shape.form === "list" ? shape.item : { type: "string" };
		for (const [edge, value] of after) compareEdge(found, edge, before.get(edge), value, item, schemas);
		for (const [edge, value] of before) if (!after.has(edge)) compareEdge(found, edge, value, undefined, item, schemas);
	}
}

function compareFields(
	found: Collected,
	old: JsonObject,
	updated: JsonObject,
	shape: Shape,
	schemas: Schemas,
	except?: ReadonlySet<string>,
): void {
	for (const key in updated) {
		const after = updated[key];
		if (after === undefined || except?.has(key)) continue;
		const before = own(old, key);
		if (before === after) continue;
		compareEdge(found, `f:${key}`, before, after, itemSchema(shape, key), schemas);
	}
	for (const key in old) {
		if (old[key] === undefined || except?.has(key) || own(updated, key) !== undefined) continue;
		compareEdge(found, `f:${key}`, old[key], undefined, itemSchema(shape, key), schemas);
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
	const old = before === undefined ? whenAbsent(field) : before;
	const updated = after === undefined && before !== undefined ? whenAbsent(field) : after;
	if (old === updated) return;
	if (old === undefined) found.changed[edge] = everything(updated, field, schemas);
	else if (updated === undefined) found.removed[edge] = everything(old, field, schemas);
	else if (isLeaf(old, field, schemas) || isLeaf(updated, field, schemas)) {
		if (!jsonEqual(old, updated)) found.changed[edge] = emptySet;
	} else {
		const below: Collected = isObject(updated)
			? { changed: {}, removed: {} }
			: { changed: itemsNode(), removed: itemsNode() };
		compareInto(below, old, updated, field, schemas);
		attach(found, edge, below);
	}
}

/** What a field that is not set stands for: some objects, and some lists, are always there, and then nobody's. */
function whenAbsent(field: FieldSchema | undefined): unknown {
	if (isObject(field?.default)) return field.default;
	return field?.required && field.of === "array" && field.listType === "map" ? emptyList : undefined;
}

const emptyList: readonly unknown[] = [];

function isLeaf(value: unknown, field: FieldSchema | undefined, schemas: Schemas): boolean {
	return shapeOf(field, value, schemas).form === "leaf";
}

/** Everything there is in a value, objects and lists themselves included. */
function everything(value: unknown, field: FieldSchema | undefined, schemas: Schemas): FieldSet {
	const shape = shapeOf(field, value, schemas);
	if (shape.form === "leaf") return emptySet;
	const set: OpenSet = isObject(value) ? {} : itemsNode();
	if (isObject(value)) {
		for (const key of Object.keys(value))
			if (value[key] !== undefined) set[`f:${key}`] = everything(value[key], itemSchema(shape, key), schemas);
	} else if (Array.isArray(value)) {
		for (const [edge, item] of itemsByEdge(value, shape, schemas))
			set[edge] = shape.form === "list" ? everything(item, shape.item, schemas) : emptySet;
	}
	return asMember(set);
}
