/** Warnings about parts of schemas that are let through, and do not do what their author may expect. */
import { isRecord } from "../../core/object.ts";
import type { CustomResourceDefinition } from "../generated/types.ts";
import { isCheckedFormat } from "./schema/formats/formats.ts";

/** Of what an old definition did not have. */
export function definitionWarnings(definition: CustomResourceDefinition, old?: CustomResourceDefinition): string[] {
	const before = old === undefined ? new Set() : warningsOf(old);
	return [...warningsOf(definition)].filter((warning) => !before.has(warning));
}

function warningsOf({ spec }: CustomResourceDefinition): Set<string> {
	const formats = new Set<string>();
	const sets = new Set<string>();
	for (const { schema } of spec.versions) addWarnings(schema?.openAPIV3Schema, formats, sets);
	return new Set([...formats, ...[...sets].sort()]);
}

/** @param schema decoded: what is a record in it is a schema, a table of schemas, or a value */
function addWarnings(schema: unknown, formats: Set<string>, sets: Set<string>): void {
	if (!isRecord(schema)) return;
	const { type = "", format = "", items } = schema;
	if (typeof format === "string" && format !== "" && !isCheckedFormat(String(type), format))
		formats.add(`unrecognized format ${JSON.stringify(format)}`);
	if (schema["x-kubernetes-list-type"] === "set" && isRecord(items)) {
		const itemType = items["type"];
		if (itemType === "object" || itemType === "array") {
			const why = "is not supported by server-side apply or CEL validation rules";
			sets.add(`x-kubernetes-list-type: set for items of type ${JSON.stringify(itemType)} ${why}`);
		}
	}
	for (const keyword of ["items", "additionalProperties", "not"]) addWarnings(schema[keyword], formats, sets);
	for (const keyword of ["allOf", "anyOf", "oneOf"]) {
		const parts = schema[keyword];
		if (Array.isArray(parts)) for (const part of parts) addWarnings(part, formats, sets);
	}
	if (isRecord(schema["properties"]))
		for (const part of Object.values(schema["properties"])) addWarnings(part, formats, sets);
}
