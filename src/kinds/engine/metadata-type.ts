/** The metadata of objects, one type for all kinds. */
import generated from "../generated/schemas.json" with { type: "json" };
import { type Decoded, decode } from "./decode.ts";
import type { Schemas, TypeSchema } from "./type-schema.ts";

/** The types of metadata. Without prototypes: a client's field may be named `constructor`. */
const types = new Map(
	(["ObjectMeta", "OwnerReference", "ManagedFieldsEntry"] as const).map((name) => [
		name as string,
		// The file was written by scripts/generate.ts.
		Object.assign(Object.create(null), generated[name]) as TypeSchema,
	]),
);

const schemas: Schemas = { type: (name) => types.get(name), fillsZeros: true };

/** Decodes metadata from a client, including null. Paths of problems and unknown fields are relative to it. */
export function decodeMetadata(value: unknown): Omit<Decoded, "object"> & { metadata: Record<string, unknown> } {
	if (value === null) return { metadata: {}, problems: [], unknownFields: [] };
	const { object, problems, unknownFields } = decode(value, "ObjectMeta", schemas);
	// A decoded ObjectMeta is not a whole object.
	return { metadata: object as unknown as Record<string, unknown>, problems, unknownFields };
}
