import { type Cause, messageOf } from "../../core/errors.ts";
import { duplicate, invalidValue, required, tooMany } from "../../core/validation/field-errors.ts";
import { type FieldPath, fieldPathIn } from "./schema/field-path.ts";
import type { SchemaProps } from "./schema/schema-props.ts";

type SelectableField = { jsonPath: string };

/** Each takes part in every list and watch with a field selector. */
const mostFields = 8;
const types = ["string", "boolean", "integer"];

/**
 * What is wrong with the fields that selectors may name.
 * @param before those of an old definition, which may have been too many
 */
export function selectableCauses(
	fields: readonly SelectableField[],
	schema: SchemaProps | undefined,
	path: string,
	before: readonly SelectableField[],
): Cause[] {
	if (fields.length === 0) return [];
	if (schema === undefined)
		return [invalidValue(path, "", "may only be set when `version.schema.openAPIV3Schema` is not included")];
	const causes: Cause[] = [];
	const seen = new Set<string>();
	for (const [index, { jsonPath = "" }] of fields.entries()) {
		const at = `${path}[${index}].jsonPath`;
		if (jsonPath === "") causes.push(required(at));
		else {
			const found = pathIn(jsonPath, schema);
			if ("problem" in found) causes.push(invalidValue(at, jsonPath, `is an invalid path: ${found.problem}`));
			else causes.push(...fieldCauses(found, jsonPath, at, seen));
		}
	}
	const isAsBefore =
		fields.length === before.length && fields.every(({ jsonPath }, i) => jsonPath === before[i]?.jsonPath);
	if (seen.size > mostFields && !isAsBefore) causes.push(tooMany(path, seen.size, mostFields));
	return causes;
}

function pathIn(jsonPath: string, schema: SchemaProps): FieldPath | { problem: string } {
	try {
		return fieldPathIn(jsonPath, schema, { brackets: false });
	} catch (error) {
		return { problem: messageOf(error) };
	}
}

function fieldCauses({ text, top, schema }: FieldPath, jsonPath: string, at: string, seen: Set<string>): Cause[] {
	const causes: Cause[] = [];
	if (top === "metadata") causes.push(invalidValue(at, jsonPath, "must not point to fields in metadata"));
	if (!types.includes(schema?.type ?? "")) {
		const why =
			"must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
		causes.push(invalidValue(at, jsonPath, why));
	}
	if (seen.has(text)) causes.push(duplicate(at, jsonPath));
	seen.add(text);
	return causes;
}
