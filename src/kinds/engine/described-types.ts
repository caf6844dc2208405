/** Types of this project as data, with their descriptions: for decoding, `kubectl explain` and OpenAPI. */
import type { FieldSchema, TypeSchema } from "./type-schema.ts";

/** A type: its description, and the decoding and the description of each field. */
export interface DescribedType {
	description: string;
	fields: Readonly<Record<string, readonly [FieldSchema, string]>>;
}

export const text: FieldSchema = { type: "string" };
export const number: FieldSchema = { type: "int32" };
export const size: FieldSchema = { type: "int64" };
export const time: FieldSchema = { type: "time" };

export function needed(field: FieldSchema): FieldSchema {
	return { ...field, required: true };
}

export function listOf(type: string): FieldSchema {
	return { type, of: "array", listType: "atomic" };
}

/** The fields at the beginning of every object. */
export function objectFields(metadata = "Standard object metadata."): DescribedType["fields"] {
	return {
		apiVersion: [text, "APIVersion defines the versioned schema of this representation of an object."],
		kind: [text, "Kind is the name of the resource that this object represents."],
		metadata: [{ type: "ObjectMeta", default: {} }, metadata],
	};
}

/** Type → field → how to decode its value. */
export function typeSchemas(types: Readonly<Record<string, DescribedType>>): Readonly<Record<string, TypeSchema>> {
	return mapped(types, ({ fields }) => mapped(fields, ([schema]) => schema));
}

type Descriptions = Readonly<Record<string, { description: string; fields: Readonly<Record<string, string>> }>>;

/** Type → its description, and those of its fields. */
export function typeDescriptions(types: Readonly<Record<string, DescribedType>>): Descriptions {
	return mapped(types, ({ description, fields }) => ({ description, fields: mapped(fields, ([, words]) => words) }));
}

function mapped<T, U>(from: Readonly<Record<string, T>>, to: (value: T) => U): Record<string, U> {
	return Object.fromEntries(Object.entries(from).map(([key, value]) => [key, to(value)]));
}
