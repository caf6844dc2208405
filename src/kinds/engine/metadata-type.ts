/** The metadata of objects, as the one type that objects of every kind have. */
import generated from "../generated/schemas.json" with { type: "json" };
import { type Decoded, decode } from "./decode.ts";
import type { Schemas, TypeSchema } from "./type-schema.ts";

/** The types that metadata consists of. Without prototypes: a client's field may be called `constructor`. */
const types = new Map(
	(["ObjectMeta", "OwnerReference", "ManagedFieldsEntry"] as const).map((name) => [
		name as string,
		// The file is what scripts/generate.ts writes.
		Object.assign(Object.create(null), generated[name]) as TypeSchema,
	]),
);

const schemas: Schemas = { type: (name) => types.get(name), fillsZeros: true };

/** Metadata as a client sent it, null included. Paths of what is wrong or unknown begin inside of it. */
export function decodeMetadata(value: unknown): Omit<Decoded, "object"> & { metadata: Record<string, unknown> } {
	if (value === null) return { metadata: {}, problems: [], unknownFields: [] };
	const { object, problems, unknownFields } = decode(value, "ObjectMeta", schemas);
	// What comes of an ObjectMeta is no whole object.
	return { metadata: object as unknown as Record<string, unknown>, problems, unknownFields };
}
