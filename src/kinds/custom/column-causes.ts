import type { Cause } from "../../core/errors.ts";
import { invalidValue, required } from "../../core/validation/field-errors.ts";
import type { CustomResourceColumnDefinition } from "../generated/types.ts";

const types = ["boolean", "date", "integer", "number", "string"];
const formats = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

/** What is wrong with a printer column. */
export function columnCauses(column: CustomResourceColumnDefinition, path: string): Cause[] {
	const { name = "", type = "", format = "", jsonPath = "" } = column;
	const causes: Cause[] = [];
	if (name === "") causes.push(required(`${path}.name`));
	const typesText = `must be one of ${types.join(",")}`;
	if (type === "") causes.push(required(`${path}.type`, typesText));
	else if (!types.includes(type)) causes.push(invalidValue(`${path}.type`, type, typesText));
	if (format !== "" && !formats.includes(format))
		causes.push(invalidValue(`${path}.format`, format, `must be one of ${formats.join(",")}`));
	// Upstream names the field as its own types do.
	if (jsonPath === "") causes.push(required(`${path}.JSONPath`));
	else causes.push(...simplePathCauses(jsonPath, `${path}.JSONPath`));
	return causes;
}

/** Of a JSON path only the beginning is looked at: columns may use more than fields. */
export function simplePathCauses(jsonPath: string, path: string): Cause[] {
	if (jsonPath.startsWith(".")) return [];
	return [invalidValue(path, jsonPath, "must be a simple json path starting with .")];
}
