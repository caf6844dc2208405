/**
 * Strategic merge patch: a merge patch that knows which lists merge, and by which key.
 * https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
import { deepCopy, setField } from "../object.ts";
import { shown } from "../shown.ts";
import { keyIdentity, mergeOrder, orderedLike } from "./element-order.ts";
import { badPatch, doesNotApply } from "./errors.ts";
import { type FieldSchema, isObject, type JsonObject, own, type Schemas } from "./schema.ts";

const patchDirective = "$patch";
const retainKeysDirective = "$retainKeys";
const deletePrefix = "$deleteFromPrimitiveList/";
const orderPrefix = "$setElementOrder/";

/**
 * The document after the patch; neither is changed. Fields that the type lacks merge like those of a merge patch.
 * @throws ApiError BadRequest for a malformed directive, Invalid when a list item lacks its merge key
 */
export function applyStrategicPatch(
	document: JsonObject,
	patch: JsonObject,
	typeName: string,
	schemas: Schemas,
): JsonObject {
	return mergeObject(document, patch, schemas.type(typeName), schemas);
}

type Fields = Readonly<Record<string, FieldSchema>> | undefined;

function mergeObject(original: JsonObject, patch: JsonObject, fields: Fields, schemas: Schemas): JsonObject {
	const directive = own(patch, patchDirective);
	if (directive === "replace") return withoutDirectives(omit(patch, patchDirective));
	if (directive === "delete") return {};
	if (directive !== undefined && directive !== "merge")
		throw doesNotApply(`unknown patch type: ${shown(directive)} in map: ${shown(patch)}`);

	const result = retained(original, patch);
	for (const key of Object.keys(patch)) {
		if (key === patchDirective || key === retainKeysDirective) continue;
		if (key.startsWith(deletePrefix)) deleteFromList(result, key.slice(deletePrefix.length), patch[key]);
		else if (!key.startsWith(orderPrefix)) mergeField(result, key, patch, fields, schemas);
	}
	for (const key of Object.keys(patch))
		if (key.startsWith(orderPrefix)) orderList(result, original, patch, key.slice(orderPrefix.length), fields);
	return result;
}

function omit(object: JsonObject, key: string): JsonObject {
	const { [key]: _, ...rest } = object;
	return rest;
}

/** A copy of the original without the fields that `$retainKeys` does not name. */
function retained(original: JsonObject, patch: JsonObject): JsonObject {
	const result = { ...original };
	const retain = own(patch, retainKeysDirective);
	if (retain === undefined) return result;
	if (!Array.isArray(retain)) throw badPatch("invalid patch format of retainKeys: not a list");
	const keep = new Set(retain);
	for (const key of Object.keys(patch))
		if (!key.startsWith("$") && patch[key] !== null && !keep.has(key))
			throw badPatch(`invalid patch format of retainKeys: "${key}" is in the patch and not among the keys to retain`);
	for (const key of Object.keys(result)) if (!keep.has(key)) delete result[key];
	return result;
}

function mergeField(result: JsonObject, key: string, patch: JsonObject, fields: Fields, schemas: Schemas): void {
	const value = patch[key];
	const present = own(result, key);
	const field = fields !== undefined && Object.hasOwn(fields, key) ? fields[key] : undefined;
	if (value === null) {
		delete result[key];
		return;
	}
	let merged: unknown;
	if (isObject(value) && isObject(present)) merged = mergeObjects(present, value, field, schemas);
	else if (Array.isArray(value) && Array.isArray(present) && strategies(field).includes("merge"))
		merged = mergeList(present, value, key, field, schemas, own(patch, orderPrefix + key) === undefined);
	else if (Array.isArray(value) && strategies(field).includes("merge"))
		merged = mergeList([], value, key, field, schemas, true);
	else merged = withoutDirectives(value);
	setField(result, key, merged);
}

function mergeObjects(
	present: JsonObject,
	value: JsonObject,
	field: FieldSchema | undefined,
	schemas: Schemas,
): JsonObject {
	if (strategies(field).includes("replace")) return withoutDirectives(value);
	if (field?.of === undefined) return mergeObject(present, value, field && schemas.type(field.type), schemas);
	// The keys of a map all stand for values of one type: described as if each key were a field.
	const item: FieldSchema = { type: field.type, ...(field.of === "arrayMap" && { of: "array" as const }) };
	const keys = Object.keys(value).map((key) => [key, item] as const);
	return mergeObject(present, value, Object.fromEntries(keys), schemas);
}

function strategies(field: FieldSchema | undefined): string[] {
	return field?.patchStrategy?.split(",") ?? [];
}

/** @param order whether to bring the items into the order of the patch; a `$setElementOrder` does that later */
function mergeList(
	present: readonly unknown[],
	patch: readonly unknown[],
	name: string,
	field: FieldSchema | undefined,
	schemas: Schemas,
	order: boolean,
): unknown[] {
	const mergeKey = field?.mergeKey;
	const items = patch.filter((item) => !isObject(item) || own(item, patchDirective) === undefined);
	if (patch.some((item) => isObject(item) && item[patchDirective] === "replace")) return items.map(withoutDirectives);
	if (!patch.some(isObject) && !present.some(isObject)) {
		const merged = unique([...present, ...patch]);
		return order ? mergeOrder(merged, patch, present, undefined) : merged;
	}
	if (mergeKey === undefined) throw doesNotApply(`cannot merge lists without merge key for ${name}`);
	const type = field && schemas.type(field.type);
	const merged = new KeyedItems(present, mergeKey);
	for (const item of patch) {
		const key = keyOf(item, mergeKey);
		if (!isObject(item)) continue;
		const directive = own(item, patchDirective);
		if (directive === "delete") merged.delete(key);
		else if (directive !== undefined && directive !== "merge")
			throw doesNotApply(`unknown patch type: ${shown(directive)} in map: ${shown(item)}`);
		else merged.set(key, mergeObject(merged.get(key) ?? {}, item, type, schemas));
	}
	const list = merged.all();
	return order ? mergeOrder(list, items, present, mergeKey) : list;
}

/**
 * The items of a list that merges, found by their keys: both lists may be long. Of several with one key the first
 * counts.
 */
class KeyedItems {
	readonly #items: unknown[];
	readonly #mergeKey: string;
	/** Positions of the items with a key, in order. */
	readonly #positions = new Map<unknown, number[]>();

	constructor(items: readonly unknown[], mergeKey: string) {
		this.#items = [...items];
		this.#mergeKey = mergeKey;
		for (const [position, item] of items.entries()) if (isObject(item)) this.#add(item[mergeKey], position);
	}

	get(key: unknown): JsonObject | undefined {
		const item = this.#items[this.#positions.get(keyIdentity(key))?.[0] ?? -1];
		return isObject(item) ? item : undefined;
	}

	set(key: unknown, item: JsonObject): void {
		const position = this.#positions.get(keyIdentity(key))?.[0];
		if (position !== undefined) this.#items[position] = item;
		else this.#add(item[this.#mergeKey], this.#items.push(item) - 1);
	}

	delete(key: unknown): void {
		const identity = keyIdentity(key);
		for (const position of this.#positions.get(identity) ?? []) this.#items[position] = undefined;
		this.#positions.delete(identity);
	}

	all(): unknown[] {
		return this.#items.filter((item) => item !== undefined);
	}

	#add(key: unknown, position: number): void {
		const identity = keyIdentity(key);
		const positions = this.#positions.get(identity);
		if (positions === undefined) this.#positions.set(identity, [position]);
		else positions.push(position);
	}
}

function keyOf(item: unknown, mergeKey: string): unknown {
	const key = isObject(item) ? own(item, mergeKey) : undefined;
	const lone = isObject(item) && own(item, patchDirective) === "merge" && Object.keys(item).length === 1;
	if (key === undefined && !lone)
		throw doesNotApply(`map: ${shown(item)} does not contain declared merge key: ${mergeKey}`);
	return key;
}

/** Equal scalars once each, at their first place. */
function unique(values: readonly unknown[]): unknown[] {
	return [...new Set(values)];
}

function deleteFromList(result: JsonObject, name: string, values: unknown): void {
	if (!Array.isArray(values))
		throw badPatch(`invalid patch format of primitive list: ${deletePrefix}${name} is not a list`);
	const present = own(result, name);
	if (!Array.isArray(present)) return;
	const gone = new Set(values);
	result[name] = present.filter((item) => !gone.has(item));
}

/** Brings a list that the patch may have changed into the order that the patch gives. */
function orderList(result: JsonObject, original: JsonObject, patch: JsonObject, name: string, fields: Fields): void {
	const order = patch[orderPrefix + name];
	if (!Array.isArray(order)) throw badPatch(`invalid patch format of setElementOrder list: ${name} is not a list`);
	const mergeKey = fields?.[name]?.mergeKey;
	const patched = own(patch, name);
	if (Array.isArray(patched)) {
		const listed = patched.filter((item) => !isObject(item) || own(item, patchDirective) === undefined);
		if (!orderedLike(listed, order, mergeKey))
			throw badPatch(
				`The order in patch list:\n${shown(listed)}\n doesn't match ${orderPrefix.slice(0, -1)} list:\n${shown(order)}\n`,
			);
	}
	const present = own(result, name);
	const before = own(original, name);
	if (Array.isArray(present)) result[name] = mergeOrder(present, order, Array.isArray(before) ? before : [], mergeKey);
}

function isDropped(directive: unknown): boolean {
	return directive === "delete" || directive === "replace";
}

/** A copy of a value that has nothing to merge with: directives and nulls in its objects mean nothing there. */
function withoutDirectives<T>(value: T): T;
function withoutDirectives(value: unknown): unknown {
	if (Array.isArray(value)) {
		const kept = value.filter((item) => !isObject(item) || !isDropped(own(item, patchDirective)));
		return kept.map((item) => withoutDirectives(item));
	}
	if (!isObject(value)) return deepCopy(value);
	const result: JsonObject = {};
	for (const key of Object.keys(value)) {
		const directive = key === patchDirective || key === retainKeysDirective;
		if (directive || key.startsWith(deletePrefix) || key.startsWith(orderPrefix)) continue;
		if (value[key] !== null) setField(result, key, withoutDirectives(value[key]));
	}
	return result;
}
