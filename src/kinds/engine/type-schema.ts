/** The description of an API type as data. */
import type { FieldSchema as PatchedField } from "../../core/patches/schema.ts";

/**
 * A field for decoding, in addition to what patches need. Types are `string`, `int32`, `int64`, `number`, `boolean`,
 * `any`, `time`, `microTime`, `quantity`, `intOrString`, `bytes` (base64), or the name of a type. Server-side apply
 * uses a default; decoding does not fill it in.
 */
export interface FieldSchema extends PatchedField {
	required?: true;
}

export type TypeSchema = Readonly<Record<string, FieldSchema>>;

export interface Schemas {
	/** The fields of a type; undefined for a type without a schema, whose values are free-form. */
	type(name: string): TypeSchema | undefined;
	/** Missing required values get their zero values, as in Go; custom resources have different rules. */
	readonly fillsZeros?: true;
}
