import { wrongType } from "./causes.ts";
import { isInt64, passesForInteger } from "./numbers.ts";
import type { SchemaNode } from "./schema-node.ts";
import type { Walk } from "./walk.ts";

/** @returns whether the value is of a type that the schema allows */
export function checkType(node: SchemaNode, value: unknown, walk: Walk): boolean {
	const { type, format } = node;
	if (isOfType(type, value)) {
		if (type !== "" || format === "" || value === null || isTextual(value)) return true;
	} else if (value === null && node.nullable) return true;
	// A problem with a checked format is reported instead of the type, unless the value may have been meant as text.
	if (format !== "" && value !== null && !isTextual(value))
		walk.fail((place) => wrongType(place, node.schema.format ?? "", goFormat(value)));
	else walk.fail((place) => wrongType(place, type, typeName(value)));
	return false;
}

function isOfType(type: string, value: unknown): boolean {
	switch (type) {
		case "string":
			return typeof value === "string";
		case "object":
			return typeof value === "object" && value !== null && !Array.isArray(value);
		case "array":
			return Array.isArray(value);
		case "integer":
			return typeof value === "number" && passesForInteger(value);
		case "number":
			return typeof value === "number";
		case "boolean":
			return typeof value === "boolean";
		case "integer,string":
			return typeof value === "string" || (typeof value === "number" && passesForInteger(value));
		default:
			return true;
	}
}

function isTextual(value: unknown): boolean {
	return typeof value === "string" || Array.isArray(value);
}

function typeName(value: unknown): string {
	if (value === null) return "null";
	if (Array.isArray(value)) return "array";
	if (typeof value === "number") return isInt64(value) ? "integer" : "number";
	return typeof value;
}

/** What Go knows about the value beyond its type. */
function goFormat(value: unknown): string {
	if (typeof value !== "number") return "";
	return isInt64(value) ? "int64" : "float64";
}
