import { CelValue, Double } from "./value.ts";

const two63 = 2 ** 63;

/** The name of a value's type, as `type()` has it. */
export function typeNameOf(value: unknown): string {
	switch (typeof value) {
		case "boolean":
			return "bool";
		case "string":
			return "string";
		case "bigint":
			return "int";
		case "number":
			return isInt(value) ? "int" : "double";
		default:
	}
	if (value === null) return "null_type";
	if (Array.isArray(value)) return "list";
	if (value instanceof Uint8Array) return "bytes";
	if (value instanceof CelValue) return value.typeName;
	return "map";
}

/** Whether a value is an int. */
export function isInt(value: unknown): value is number | bigint {
	return typeof value === "number"
		? Number.isInteger(value) && value < two63 && value >= -two63
		: typeof value === "bigint";
}

/** The number of a double; undefined for values of other types. */
export function doubleOf(value: unknown): number | undefined {
	if (value instanceof Double) return value.value;
	return typeof value === "number" && !isInt(value) ? value : undefined;
}

/** A double as a value. */
export function asDouble(value: number): number | Double {
	return isInt(value) ? new Double(value) : value;
}
