/** Decodes by schemas: a client's value becomes an object with only the fields and value types of its kind. */

import type { Cause } from "../../core/errors.ts";
import { messageOf } from "../../core/errors.ts";
import { isRecord, type KubeObject, setField } from "../../core/object.ts";
import { accountOf } from "../../core/patches/accounts.ts";
import { canonicalQuantity } from "../../core/quantity.ts";
import { shown } from "../../core/shown.ts";
import { typeInvalid } from "../../core/validation/field-errors.ts";
import { base64Mistake, normalMicroTime, normalTime } from "./scalars.ts";
import { cannotRestore, cannotUnmarshal } from "./type-mismatch.ts";
import type { FieldSchema, Schemas, TypeSchema } from "./type-schema.ts";

export interface Decoded {
	/** Shares nothing with the input, and may be changed. */
	object: KubeObject;
	/** Values of the wrong type, in the order found, with the messages of upstream's decoder. */
	problems: Cause[];
	/** Paths of unknown fields, such as `spec.containers[0].foo`; they are not in `object`. */
	unknownFields: string[];
}

export interface DecodeOptions {
	/**
	 * Whether it is only a part of an object, such as the body of a server-side apply: nothing is filled in. Otherwise
	 * missing required scalars get their zero values, and missing metadata or spec become empty objects, as with
	 * upstream's types.
	 */
	partial?: boolean;
	/** The value was made of maps, not of JSON: `problems` have the words of upstream's conversion from maps. */
	isMap?: boolean;
}

interface Context {
	schemas: Schemas;
	/** Whether missing required values are filled in: custom resources have different rules. */
	fills: boolean;
	isMap: boolean;
	path: (string | number)[];
	problems: Cause[];
	unknownFields: string[];
}

/**
 * Decodes a JSON value as a type: drops unknown fields, nulls, and empty lists and maps (absent and empty mean the same
 * in the API, except for required fields); normalizes quantities and times to their stored form.
 */
export function decode(value: unknown, typeName: string, schemas: Schemas, options: DecodeOptions = {}): Decoded {
	const fills = schemas.fillsZeros === true && options.partial !== true;
	const isMap = options.isMap === true;
	const context: Context = { schemas, fills, isMap, path: [], problems: [], unknownFields: [] };
	const object: object = decodeType(value, typeName, "", context) ?? {};
	if (fills) fillTopLevel(object, schemas.type(typeName) ?? {}, context);
	// The caller, which knows the request, checks apiVersion, kind and metadata.
	return { object: object as KubeObject, problems: context.problems, unknownFields: context.unknownFields };
}

function decodeType(
	value: unknown,
	typeName: string,
	owner: string,
	context: Context,
): Record<string, unknown> | undefined {
	const fields = context.schemas.type(typeName);
	// A type without a schema is free-form: any JSON.
	if (fields === undefined) return copied(value) as Record<string, unknown>;
	if (!isRecord(value)) return mismatch(value, `v1.${typeName}`, owner, context);
	const result: Record<string, unknown> = {};
	for (const key in value) {
		const field = fields[key];
		const content = value[key];
		context.path.push(key);
		if (field === undefined) reportUnknown(context);
		else if (content !== null && content !== undefined) {
			const decoded = decodeField(content, field, typeName, context);
			if (decoded !== undefined) result[key] = decoded;
		}
		context.path.pop();
	}
	if (context.fills) for (const [key, zero] of requiredScalars(fields)) result[key] ??= zero;
	return result;
}

/** Upstream's decoder stops counting there, too. */
const mostUnknownFields = 100;
const mostProblems = 100;

function reportUnknown({ unknownFields, path }: Context): void {
	if (unknownFields.length < mostUnknownFields) unknownFields.push(pathText(path));
}

const scalarsByType = new WeakMap<TypeSchema, readonly (readonly [string, unknown])[]>();

/** Required scalar fields of a type, with their zero values. */
function requiredScalars(fields: TypeSchema): readonly (readonly [string, unknown])[] {
	const known = scalarsByType.get(fields);
	if (known !== undefined) return known;
	const scalars = Object.entries(fields)
		.filter(([, field]) => field.required && field.of === undefined)
		.flatMap(([key, { type }]) => (Object.hasOwn(zeroScalars, type) ? [[key, zeroScalars[type]] as const] : []));
	scalarsByType.set(fields, scalars);
	return scalars;
}

const zeroScalars: Readonly<Record<string, unknown>> = {
	string: "",
	int32: 0,
	int64: 0,
	boolean: false,
	intOrString: 0,
};

/** Every object has metadata, and a spec if its kind has one. */
function fillTopLevel(object: object, fields: TypeSchema, context: Context): void {
	// Only the two fields looked up here are changed.
	const open = object as { metadata?: unknown; spec?: unknown };
	if (fields["metadata"]?.type === "ObjectMeta") open.metadata ??= {};
	if (fields["spec"] !== undefined) open.spec ??= decodeType({}, fields["spec"].type, "", context);
}

function decodeField(value: unknown, field: FieldSchema, owner: string, context: Context): unknown {
	if (field.of === undefined) return decodeItem(value, field.type, owner, context);
	if (field.of === "array") {
		if (!Array.isArray(value)) return mismatch(value, goType(field), owner, context);
		// Within the process it is the server's own and immutable.
		if (field.type === "ManagedFieldsEntry" && accountOf(value) !== undefined) return value;
		return value.length === 0 && !field.required ? undefined : decodeList(value, field.type, owner, context);
	}
	if (!isRecord(value)) return mismatch(value, goType(field), owner, context);
	const result: Record<string, unknown> = {};
	let empty = true;
	for (const key in value) {
		empty = false;
		const content = value[key];
		context.path.push(key);
		if (field.of === "map")
			setField(result, key, decodeItem(content ?? zeroValue(field.type), field.type, owner, context));
		else if (Array.isArray(content)) setField(result, key, decodeList(content, field.type, owner, context));
		else if (content !== null) mismatch(content, `[]${goType({ type: field.type })}`, owner, context);
		context.path.pop();
	}
	return empty && !field.required ? undefined : result;
}

function decodeList(values: readonly unknown[], type: string, owner: string, context: Context): unknown[] {
	// If an item cannot be decoded, the whole is useless: there is a problem.
	return values.map((value, index) => {
		context.path.push(index);
		const item = decodeItem(value ?? zeroValue(type), type, owner, context);
		context.path.pop();
		return item;
	});
}

/** The value of a null in a list or a map. */
function zeroValue(type: string): unknown {
	if (type === "string" || type === "bytes") return "";
	if (type === "any") return null;
	if (type === "boolean") return false;
	if (type === "quantity") return "0";
	return Object.hasOwn(goScalars, type) ? 0 : {};
}

function decodeItem(value: unknown, type: string, owner: string, context: Context): unknown {
	switch (type) {
		case "string":
			return typeof value === "string" ? value : mismatch(value, "string", owner, context);
		case "int32":
		case "int64":
			return isInteger(value, type) ? value : mismatch(value, type, owner, context);
		case "boolean":
			return typeof value === "boolean" ? value : mismatch(value, "bool", owner, context);
		case "number":
			return typeof value === "number" ? value : mismatch(value, "float64", owner, context);
		case "intOrString":
			if (typeof value === "string" || isInteger(value, "int32")) return value;
			return mismatch(value, "intstr.IntOrString", owner, context);
		case "quantity":
			return quantity(value, owner, context);
		case "time":
		case "microTime":
			return time(value, type, owner, context);
		case "bytes":
			return bytes(value, owner, context);
		case "any":
			return copied(value);
		case "JSONSchemaPropsOrArray":
			if (Array.isArray(value)) return decodeList(value, "JSONSchemaProps", owner, context);
			return decodeType(value, "JSONSchemaProps", owner, context);
		case "JSONSchemaPropsOrBool":
			return typeof value === "boolean" ? value : decodeType(value, "JSONSchemaProps", owner, context);
		case "JSONSchemaPropsOrStringArray":
			if (Array.isArray(value)) return decodeList(value, "string", owner, context);
			return decodeType(value, "JSONSchemaProps", owner, context);
		default:
			return decodeType(value, type, owner, context);
	}
}

function isInteger(value: unknown, type: "int32" | "int64"): boolean {
	if (typeof value !== "number" || !Number.isInteger(value)) return false;
	const bound = type === "int64" ? 2 ** 63 : 2 ** 31;
	return value >= -bound && value < bound;
}

function quantity(value: unknown, owner: string, context: Context): unknown {
	if (typeof value !== "string" && typeof value !== "number")
		return mismatch(value, "resource.Quantity", owner, context);
	try {
		return canonicalQuantity(value);
	} catch (error) {
		return refuse(messageOf(error), context);
	}
}

function time(value: unknown, type: "time" | "microTime", owner: string, context: Context): unknown {
	if (typeof value !== "string") return mismatch(value, "string", owner, context);
	const normal = type === "time" ? normalTime(value) : normalMicroTime(value);
	if (normal !== undefined) return normal;
	const layout = `2006-01-02T15:04:05${type === "time" ? "" : ".000000"}Z07:00`;
	const text = shown(value);
	return refuse(`parsing time ${text} as "${layout}": cannot parse ${text}`, context);
}

function bytes(value: unknown, owner: string, context: Context): unknown {
	if (typeof value !== "string") return mismatch(value, "[]uint8", owner, context);
	const text = value.replace(/[\r\n]/g, "");
	const wrong = base64Mistake(text);
	return wrong === undefined ? text : refuse(`illegal base64 data at input byte ${wrong}`, context);
}

function mismatch(value: unknown, type: string, owner: string, context: Context): undefined {
	const restored = context.isMap ? cannotRestore(value, type) : undefined;
	if (restored !== undefined) return refuse(restored, context);
	// Upstream names the innermost type, and the path without list indexes.
	const path = context.path.filter((part) => typeof part === "string").join(".");
	const place = path === "" ? "Go value" : `Go struct field ${owner}.${path}`;
	return refuse(cannotUnmarshal(value, type, place), context);
}

function refuse(message: string, context: Context): undefined {
	if (context.problems.length < mostProblems) context.problems.push(typeInvalid(pathText(context.path), message));
	return undefined;
}

const goScalars: Readonly<Record<string, string>> = {
	string: "string",
	boolean: "bool",
	int32: "int32",
	int64: "int64",
	number: "float64",
	quantity: "resource.Quantity",
	intOrString: "intstr.IntOrString",
	time: "v1.Time",
	microTime: "v1.MicroTime",
	bytes: "[]uint8",
};

/** The type of a field in upstream's messages. */
function goType(field: FieldSchema): string {
	const item = goScalars[field.type] ?? `v1.${field.type}`;
	if (field.of === "array") return `[]${item}`;
	if (field.of === "map") return `map[string]${item}`;
	return field.of === "arrayMap" ? `map[string][]${item}` : item;
}

function pathText(path: readonly (string | number)[]): string {
	let text = "";
	for (const part of path) text += typeof part === "number" ? `[${part}]` : text === "" ? part : `.${part}`;
	return text;
}

/** A copy of any JSON value: free-form parts of objects are copied unchanged. */
function copied(value: unknown): unknown {
	if (typeof value !== "object" || value === null) return value;
	if (Array.isArray(value)) return value.map(copied);
	const result: Record<string, unknown> = {};
	for (const key in value) {
		// `key` was just enumerated.
		setField(result, key, copied((value as Record<string, unknown>)[key]));
	}
	return result;
}
