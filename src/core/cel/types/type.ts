/** Types of expressions. */
import type { ListSemantics } from "../values/list-semantics.ts";

export type TypeKind =
	| "null"
	| "bool"
	| "int"
	| "uint"
	| "double"
	| "string"
	| "bytes"
	| "timestamp"
	| "duration"
	| "dyn"
	| "error"
	| "list"
	| "map"
	| "object"
	| "opaque"
	| "type"
	| "parameter";

export interface Type {
	readonly kind: TypeKind;
	/** The name of objects, opaque types and parameters; the kind of others. */
	readonly name: string;
	/** Of lists the items, of maps the keys and values, of opaque types and `type` what they hold. */
	readonly parameters: readonly Type[];
	/** The fields of an object. */
	readonly fields?: FieldTypes;
	/** Of lists whose order does not count. */
	readonly semantics?: ListSemantics;
	/** The largest size of a string, bytes, list or map that a schema allows; estimates of cost multiply by it. */
	readonly maxSize?: number;
}

/**
 * The fields of a declared object. Asked for a field only when an expression names it, so that a schema turns into
 * types as far as rules need it.
 */
export interface FieldTypes {
	/** @param name as an expression writes it, escaped */
	field(name: string): Field | undefined;
}

export interface Field {
	/** The name in JSON, which differs from the one in expressions where that is escaped. */
	readonly key: string;
	readonly type: Type;
}

const none: readonly Type[] = [];

function simple(kind: TypeKind, name: string = kind): Type {
	return { kind, name, parameters: none };
}

export const nullType = simple("null", "null_type");
export const boolType = simple("bool");
export const intType = simple("int");
export const uintType = simple("uint");
export const doubleType = simple("double");
export const stringType = simple("string");
export const bytesType = simple("bytes");
export const timestampType = simple("timestamp", "google.protobuf.Timestamp");
export const durationType = simple("duration", "google.protobuf.Duration");
export const dynType = simple("dyn");
/** What a part with an error has: it fits everywhere, so that one mistake is reported once. */
export const errorType = simple("error", "!error!");

export function listType(items: Type, maxSize?: number, semantics?: ListSemantics): Type {
	return { kind: "list", name: "list", parameters: [items], maxSize, semantics };
}

export function mapType(keys: Type, values: Type, maxSize?: number): Type {
	return { kind: "map", name: "map", parameters: [keys, values], maxSize };
}

export function objectType(name: string, fields: FieldTypes, maxSize?: number): Type {
	return { kind: "object", name, parameters: none, fields, maxSize };
}

/** A scalar whose size a schema bounds, such as a string with `maxLength`. */
export function sizedType(type: Type, maxSize: number): Type {
	return { kind: type.kind, name: type.name, parameters: type.parameters, fields: type.fields, maxSize };
}

export function opaqueType(name: string, ...parameters: Type[]): Type {
	return { kind: "opaque", name, parameters };
}

export function optionalType(value: Type): Type {
	return opaqueType("optional_type", value);
}

export function typeType(of?: Type): Type {
	return { kind: "type", name: "type", parameters: of === undefined ? none : [of] };
}

export function typeParameter(name: string): Type {
	return simple("parameter", name);
}

/** What an optional type holds; undefined for other types. */
export function valueOfOptional(type: Type): Type | undefined {
	return type.kind === "opaque" && type.name === "optional_type" ? type.parameters[0] : undefined;
}

export function isDynOrError(type: Type): boolean {
	return type.kind === "dyn" || type.kind === "error";
}

/** Whether two types are the same, parameters included. */
export function sameType(a: Type, b: Type): boolean {
	if (a === b) return true;
	if (a.kind !== b.kind || a.name !== b.name || a.parameters.length !== b.parameters.length) return false;
	for (let index = 0; index < a.parameters.length; index++) {
		const [left, right] = [a.parameters[index], b.parameters[index]];
		if (left === undefined || right === undefined || !sameType(left, right)) return false;
	}
	return true;
}

/** A type as messages name it: `map(string, list(int))`, `timestamp`. */
export function typeText(type: Type): string {
	switch (type.kind) {
		case "null":
		case "timestamp":
		case "duration":
			return type.kind;
		default:
	}
	if (type.parameters.length === 0) return type.name;
	return `${type.name}(${type.parameters.map(typeText).join(", ")})`;
}
