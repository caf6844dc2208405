/** Values of one of several types: in protobuf, a message with a field for each type. */
import type { FieldSchema, TypeSchema } from "../../../kinds/engine/type-schema.ts";

const schema: FieldSchema = { type: "JSONSchemaProps" };

const unions = new Map<string, TypeSchema>([
	["JSONSchemaPropsOrArray", { schema, jSONSchemas: { type: "JSONSchemaProps", of: "array" } }],
	["JSONSchemaPropsOrBool", { allows: { type: "boolean" }, schema }],
	["JSONSchemaPropsOrStringArray", { schema, property: { type: "string", of: "array" } }],
]);

/** The fields of the message; undefined for any other type. */
export function unionFields(type: string): TypeSchema | undefined {
	return unions.get(type);
}

export const unionTypes: readonly string[] = [...unions.keys()];

/** Decodes the message: a schema, a list, or a boolean (false is not sent). */
export function unionValue(message: Readonly<Record<string, unknown>>): unknown {
	const { schema, jSONSchemas, property, allows } = message;
	return schema ?? jSONSchemas ?? property ?? allows ?? false;
}

/** Encodes a value, the reverse. A schema implies that what it describes is allowed. */
export function unionMessage(type: string, value: unknown): unknown {
	if (Array.isArray(value)) return type === "JSONSchemaPropsOrArray" ? { jSONSchemas: value } : { property: value };
	return typeof value === "boolean" ? { allows: value } : { allows: true, schema: value };
}
