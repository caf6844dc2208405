/** Which fields a new object has, found out once for all objects of one form. */
import { compareObjects, type Unowned } from "./differences.ts";
import type { FieldSet } from "./field-set.ts";
import { type FieldSchema, isObject, type JsonObject, type Schemas } from "./schema.ts";
import { contentOf } from "./shapes.ts";
import { share } from "./shared-sets.ts";

const mostForms = 512;
/** Objects with a longer form are rare, and seldom alike. */
const longestForm = 4096;

interface Known {
	readonly schemas: Schemas;
	readonly set: FieldSet;
}

/** By type and form, those used last at the end. */
const known = new Map<string, Known>();

/**
 * The fields that an object has beyond what every object of its type has. Sorted, and shared by objects of one form.
 */
export function newFields(object: JsonObject, typeName: string, schemas: Schemas, unowned: Unowned): FieldSet {
	const form = formOf(object, typeName, schemas, unowned);
	const found = known.get(form);
	if (found !== undefined && found.schemas === schemas) {
		known.delete(form);
		known.set(form, found);
		return found.set;
	}
	const set = share(compareObjects({}, object, { type: typeName }, schemas, unowned).changed);
	if (form.length <= longestForm) {
		known.set(form, { schemas, set });
		for (const [oldest] of known) {
			if (known.size <= mostForms) break;
			known.delete(oldest);
		}
	}
	return set;
}

/** A text that two objects have in common only if they have the same fields: names, and keys of items, no values. */
function formOf(object: JsonObject, typeName: string, schemas: Schemas, { top, metadata }: Unowned): string {
	const fields = schemas.type(typeName);
	let text = `${typeName}${Array.from(top).join()}`;
	for (const key in object) {
		const value = object[key];
		if (key === "metadata" && isObject(value))
			text += `metadata${fieldsForm(value, schemas.type(fields?.["metadata"]?.type ?? ""), schemas, metadata)}`;
		else if (value !== undefined && !top.has(key)) text += named(key, valueForm(value, fields?.[key], schemas));
	}
	return text;
}

function fieldsForm(
	object: JsonObject,
	fields: Readonly<Record<string, FieldSchema>> | undefined,
	schemas: Schemas,
	except?: ReadonlySet<string>,
): string {
	let text = "{";
	for (const key in object) {
		const value = object[key];
		if (value !== undefined && !except?.has(key)) text += named(key, valueForm(value, fields?.[key], schemas));
	}
	return `${text}}`;
}

function valueForm(value: unknown, field: FieldSchema | undefined, schemas: Schemas): string {
	if (typeof value !== "object" || value === null) return "";
	if (Array.isArray(value)) return listForm(value, field, schemas);
	// As `shapeOf` of the same value and type; where it is a leaf to that, its form says more than is needed.
	if (field === undefined || field.mapType === "atomic")
		return field === undefined ? mapForm(value, field, schemas) : "";
	if (field.of === undefined) {
		const fields = schemas.type(field.type);
		if (fields !== undefined) return fieldsForm(value as JsonObject, fields, schemas);
		if (field.type === "any" && field.mapType === undefined) return "";
	}
	return mapForm(value, field, schemas);
}

function mapForm(map: object, field: FieldSchema | undefined, schemas: Schemas): string {
	const item = field?.of === undefined ? undefined : contentOf(field);
	let text = "{";
	// What is looked at is a plain object.
	const values = map as JsonObject;
	for (const key in values) text += named(key, valueForm(values[key], item, schemas));
	return `${text}}`;
}

function listForm(list: readonly unknown[], field: FieldSchema | undefined, schemas: Schemas): string {
	if (field?.of !== "array") return "";
	if (field.listType === "set") return `[${JSON.stringify(list)}]`;
	if (field.listType !== "map") return "";
	const { listMapKeys = [], mapType } = field;
	const fields = mapType === "atomic" ? undefined : schemas.type(field.type);
	let text = "[";
	for (const item of list) {
		if (!isObject(item)) {
			text += JSON.stringify(item);
			continue;
		}
		for (const key of listMapKeys) text += named(key, JSON.stringify(item[key]) ?? "");
		text +=
			mapType === "atomic"
				? ","
				: fields === undefined
					? mapForm(item, undefined, schemas)
					: fieldsForm(item, fields, schemas);
	}
	return `${text}]`;
}

/** Whatever a name is, it does not look like anything else: its length comes first. */
function named(name: string, form: string): string {
	return `${name.length}:${name}${form}`;
}
