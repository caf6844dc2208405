/** What is wrong with the schema of a version, as upstream validates definitions. */
import type { Cause } from "../../../../core/errors.ts";
import { forbidden, invalidValue } from "../../../../core/validation/field-errors.ts";
import type { SchemaProps } from "../schema-props.ts";
import { defaultCauses } from "./defaults.ts";
import { keywordCauses } from "./keywords.ts";
import { isSet } from "./set-fields.ts";
import { structuralCauses } from "./structure.ts";
import { unsupportedKeyword } from "./unsupported.ts";

export interface SchemaCausesOptions {
	/** Path of the schema: `spec.validation` or `spec.versions[0].schema`, with `.openAPIV3Schema`. */
	path: string;
	/** Whether status is a subresource: it is then validated by itself, so the root may not restrict it. */
	hasStatus: boolean;
}

/** Every schema is walked by functions that call themselves. */
const deepest = 500;

export function schemaCauses(schema: SchemaProps, { path, hasStatus }: SchemaCausesOptions): Cause[] {
	if (isDeeper(schema, deepest)) return [invalidValue(path, "", `must not be nested more than ${deepest} levels deep`)];
	const causes = hasStatus ? rootCauses(schema, path) : [];
	if (schema.nullable === true) causes.push(forbidden(`${path}.nullable`, "nullable cannot be true at the root"));
	const unsupported = unsupportedKeyword(schema);
	if (unsupported === undefined) causes.push(...firstOf(schema, path, structuralCauses, defaultCauses));
	causes.push(...keywordCauses(schema, path));
	// Most of these were reported by name above.
	if (causes.length === 0 && unsupported !== undefined) causes.push(invalidValue(path, "", unsupported));
	return causes;
}

/** Only of a schema that is structural are the defaults looked at. */
function firstOf(
	schema: SchemaProps,
	path: string,
	...checks: ((schema: SchemaProps, path: string) => Cause[])[]
): Cause[] {
	for (const check of checks) {
		const causes = check(schema, path);
		if (causes.length > 0) return causes;
	}
	return [];
}

/** Names as upstream's message has them. */
const allowedAtRoot =
	"Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern " +
	"MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields " +
	"XValidations";
const keywordsAtRoot = new Set([
	...allowedAtRoot.split(" ").map((name) => `${name.slice(0, 1).toLowerCase()}${name.slice(1)}`),
	"x-kubernetes-preserve-unknown-fields",
	"x-kubernetes-validations",
]);

function rootCauses(schema: SchemaProps, path: string): Cause[] {
	const { type = "" } = schema;
	if (type !== "" && type !== "object") {
		const why = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
		return [invalidValue(`${path}.type`, type, why)];
	}
	const isAllowed = Object.entries(schema).every(([name, value]) => keywordsAtRoot.has(name) || !isSet(value));
	if (isAllowed) return [];
	const why = `only [${allowedAtRoot}] fields are allowed at the root of the schema if the status subresource is enabled`;
	return [invalidValue(path, schema, why)];
}

/** Whether objects and lists stand in each other more than so many times; a value that contains itself does, too. */
function isDeeper(value: unknown, levels: number): boolean {
	if (typeof value !== "object" || value === null) return false;
	if (levels === 0) return true;
	// For each part in turn: lists of all of them would be made for every level.
	for (const key in value) if (isDeeper((value as Record<string, unknown>)[key], levels - 1)) return true;
	return false;
}
