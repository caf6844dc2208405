/** Values seen through their types, as server-side apply sees them: which fields they have, and how they merge. */
import { setField } from "../object.ts";
import { badPatch } from "./errors.ts";
import {
	asMember,
	difference,
	emptySet,
	type FieldSet,
	intersection,
	isEmpty,
	isMember,
	itemsNode,
	type OpenSet,
} from "./field-set.ts";
import { type FieldSchema, isObject, type JsonObject, own, type Schemas } from "./schema.ts";
import { contentOf, edgeOf, itemSchema, itemsByEdge, type Shape, shapeOf } from "./shapes.ts";

/**
 * The fields a value has: its leaves, the items of its lists and the keys of its maps.
 * @param path where the value stands in a configuration, which must not name an item of a list twice nor without its
 * keys (else ApiError BadRequest); undefined for a stored object, where of several such items the first counts
 */
export function fieldsOf(value: unknown, field: FieldSchema | undefined, schemas: Schemas, path?: string): FieldSet {
	const shape = shapeOf(field, value, schemas);
	const set: OpenSet = Array.isArray(value) ? itemsNode() : {};
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

/** The live value merged with the configuration; shares parts with both. */
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

/** The value without the members of the set. What loses all its content stays, empty. */
function removeItems(value: unknown, set: FieldSet, field: FieldSchema | undefined, schemas: Schemas): unknown {
	const shape = shapeOf(field, value, schemas);
	if (shape.form === "leaf" || isEmpty(set)) return value;
	if (isObject(value)) {
		const result: JsonObject = {};
		for (const key of Object.keys(value)) {
			const left = remaining(value[key], set[`f:${key}`], itemSchema(shape, key), schemas);
			if (left !== undefined) setField(result, key, left);
		}
		return result;
	}
	if (!Array.isArray(value)) return value;
	const item = shape.form === "list" ? shape.item : undefined;
	return value
		.map((found) => remaining(found, set[edgeOf(found, shape, schemas)], item, schemas))
		.filter((found) => found !== undefined);
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

/**
 * The set with each object field on the way to a member as a member too, so that emptied objects go with their content.
 */
function withObjects(set: FieldSet, field: FieldSchema | undefined, schemas: Schemas): FieldSet {
	const result: Record<string, FieldSet> = {};
	const fields = field === undefined || field.of !== undefined ? undefined : schemas.type(field.type);
	for (const edge of Object.keys(set)) {
		const below = set[edge] ?? emptySet;
		const named = edge.startsWith("f:") ? fields?.[edge.slice(2)] : undefined;
		const schema = named ?? (field?.of === undefined ? undefined : contentOf(field));
		const inside = withObjects(below, schema, schemas);
		result[edge] = named !== undefined || isMember(below) ? asMember(inside) : inside;
	}
	return result;
}

/**
 * Removes from the merged object what the applier applied before but no longer applies, if nobody else owns it.
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
	// Removing an item removes its content: restore what others own of it, then what nobody applied.
	const stillOwned = without(difference(difference(all, members(without(lastMembers))), ownedMembers));
	const left = without(intersection(difference(all, members(stillOwned)), lastMembers));
	return isObject(left) ? left : {};
}
