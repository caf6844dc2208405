/** How a type of the API is described as data. */
import type { FieldSchema as PatchedField } from "../../core/patches/schema.ts";

/**
 * What decoding must know of a field, besides what patches must. Types are `string`, `int32`, `int64`, `number`,
 * `boolean`, `any`, `time`, `microTime`, `quantity`, `intOrString`, `bytes` (base64), or the name of a type; a default
 * counts in the eyes of server-side apply, and decoding does not fill it in.
 */
export interface FieldSchema extends PatchedField {
	required?: true;
	/** Of `any`: objects in the value, by themselves or in a list, are of this type. */
	holds?: string;
}

export type TypeSchema = Readonly<Record<string, FieldSchema>>;

export interface Schemas {
	/** The fields of a type; undefined for a type without a schema, whose values are taken as they are. */
	type(name: string): TypeSchema | undefined;
	/** Required values that are missing get their zero values, as in Go; custom resources have other rules. */
	readonly fillsZeros?: true;
}
