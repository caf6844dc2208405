/** Whether the scale subresource of a custom resource could work with it. */
import type { Cause } from "../../core/errors.ts";
import { isRecord } from "../../core/object.ts";
import { invalidValue } from "../../core/validation/field-errors.ts";
import type { ScalePaths } from "../engine/kind.ts";
import { isInt64 } from "./schema/numbers.ts";

const mostReplicas = 2 ** 31 - 1;

export function scaleSpecCauses(scale: ScalePaths | undefined, object: object): Cause[] {
	return scale === undefined ? [] : replicaCauses(object, scale.specReplicas);
}

export function scaleStatusCauses(scale: ScalePaths | undefined, object: object): Cause[] {
	if (scale === undefined) return [];
	const causes = replicaCauses(object, scale.statusReplicas);
	const { selector } = scale;
	if (selector === undefined) return causes;
	const found = lookUp(object, selector, "string");
	return "problem" in found ? [...causes, invalidValue(selector, "", found.problem)] : causes;
}

function replicaCauses(object: object, path: string): Cause[] {
	const found = lookUp(object, path, "int64");
	if ("problem" in found) return [invalidValue(path, 0, found.problem)];
	// What is found is of the type.
	const count = (found.value ?? 0) as number;
	if (count < 0) return [invalidValue(path, count, "should be a non-negative integer")];
	return count > mostReplicas ? [invalidValue(path, count, `should be less than or equal to ${mostReplicas}`)] : [];
}

type Found = { value: unknown } | { problem: string };

/** The value at a path of fields; undefined when it is missing. */
function lookUp(object: object, path: string, wanted: "int64" | "string"): Found {
	const text = path.startsWith(".") ? path : `.${path}`;
	const complaint = (value: unknown, type: string): Found => ({
		problem: `${text} accessor error: ${shownToGo(value)} is of the type ${goType(value)}, expected ${type}`,
	});
	let value: unknown = object;
	for (const name of text.slice(1).split(".")) {
		if (!isRecord(value)) return complaint(value, "map[string]interface {}");
		if (!Object.hasOwn(value, name) || value[name] === undefined) return { value: undefined };
		value = value[name];
	}
	const isWanted = wanted === "string" ? typeof value === "string" : typeof value === "number" && isInt64(value);
	return isWanted ? { value } : complaint(value, wanted);
}

function shownToGo(value: unknown): string {
	if (value === null) return "<nil>";
	return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function goType(value: unknown): string {
	if (value === null) return "<nil>";
	if (Array.isArray(value)) return "[]interface {}";
	switch (typeof value) {
		case "string":
			return "string";
		case "boolean":
			return "bool";
		case "number":
			return isInt64(value) ? "int64" : "float64";
		default:
			return "map[string]interface {}";
	}
}
