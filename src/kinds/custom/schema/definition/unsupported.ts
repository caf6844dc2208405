import type { SchemaProps } from "../schema-props.ts";
import { isSet } from "./set-fields.ts";

/** Keywords of which upstream makes no structural schema, with their names in its messages. */
const keywords = [
	["id", "id"],
	["$schema", "schema"],
	["$ref", "$ref"],
	["patternProperties", "patternProperties"],
	["dependencies", "dependencies"],
	["additionalItems", "additionalItems"],
	["definitions", "definitions"],
] as const;

/** Why no structural schema can be made of a schema; undefined when one can. */
export function unsupportedKeyword(schema: SchemaProps): string | undefined {
	for (const [keyword, name] of keywords)
		if (isSet(schema[keyword]) || (keyword === "additionalItems" && schema[keyword] === false))
			return `OpenAPIV3Schema '${name}' is not supported`;
	if (schema["x-kubernetes-preserve-unknown-fields"] === false)
		return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined";
	if (Array.isArray(schema.items)) return "OpenAPIV3Schema 'items' must be a schema, but is an array";
	for (const part of partsOf(schema)) {
		const found = unsupportedKeyword(part);
		if (found !== undefined) return found;
	}
	return undefined;
}

function partsOf({ not, allOf = [], anyOf = [], oneOf = [], items, ...schema }: SchemaProps): SchemaProps[] {
	const parts = [...allOf, ...anyOf, ...oneOf, ...Object.values(schema.properties ?? {})];
	if (not !== undefined) parts.push(not);
	if (items !== undefined && !Array.isArray(items)) parts.push(items);
	if (typeof schema.additionalProperties === "object") parts.push(schema.additionalProperties);
	return parts;
}
