/**
 * Whether a schema is structural: its types, fields and items stand outside of allOf, anyOf, oneOf and not, which only
 * only restrict what the structure declares (Kubernetes documentation, "Specifying a structural schema").
 */
import type { Cause } from "../../../../core/errors.ts";
import { messageOf } from "../../../../core/errors.ts";
import { regex } from "../../../../core/text/regex.ts";
import { forbidden, invalidValue, required } from "../../../../core/validation/field-errors.ts";
import { hasProperties, itemsOf, propertyOf, type SchemaProps, valuesOf } from "../schema-props.ts";
import { completenessCauses } from "./completeness.ts";
import { isSet } from "./set-fields.ts";

type Level = "root" | "item" | "field";

/** What keeps a schema from being structural, sorted by path. Its unsupported keywords were refused before. */
export function structuralCauses(schema: SchemaProps, path: string): Cause[] {
	const text = ({ field, message }: Cause) => `${field}: ${message}`;
	return [...invariantCauses(schema, "root", path), ...completenessCauses(schema, path)].sort((a, b) =>
		text(a) < text(b) ? -1 : 1,
	);
}

function invariantCauses(schema: SchemaProps, level: Level, path: string): Cause[] {
	const causes: Cause[] = [];
	const items = itemsOf(schema);
	if (schema.type === "array" && items === undefined) causes.push(required(`${path}.items`, "must be specified"));
	if (items !== undefined) causes.push(...invariantCauses(items, "item", `${path}.items`));
	for (const [name, property] of Object.entries(schema.properties ?? {}))
		causes.push(...invariantCauses(property, "field", `${path}.properties[${name}]`));
	if (schema.additionalProperties !== undefined) {
		if (level === "root") causes.push(forbidden(`${path}.additionalProperties`, "must not be used at the root"));
		const values = valuesOf(schema);
		if (values !== undefined) causes.push(...invariantCauses(values, "field", `${path}.additionalProperties`));
	}
	causes.push(...extensionCauses(schema, path));
	causes.push(...restrictionCauses(schema, intOrStringPattern(schema), path));
	causes.push(...typeCauses(schema, level, path));
	causes.push(...metaFieldCauses(schema, level, path));
	return causes;
}

function extensionCauses(schema: SchemaProps, path: string): Cause[] {
	if (schema["x-kubernetes-int-or-string"] !== true) return [];
	return (["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] as const)
		.filter((name) => schema[name] === true)
		.map((name) => invalidValue(`${path}.${name}`, true, "must be false if x-kubernetes-int-or-string is true"));
}

const emptyType: Readonly<Record<Level, string>> = {
	root: "must not be empty at the root",
	item: "must not be empty for specified array items",
	field: "must not be empty for specified object fields",
};

function typeCauses(schema: SchemaProps, level: Level, path: string): Cause[] {
	const { type = "" } = schema;
	const causes: Cause[] = [];
	if (schema["x-kubernetes-embedded-resource"] === true) {
		if (type !== "object") {
			const why = "must be object if x-kubernetes-embedded-resource is true";
			causes.push(type === "" ? required(`${path}.type`, why) : invalidValue(`${path}.type`, type, why));
		}
		if (schema.additionalProperties !== undefined)
			causes.push(
				forbidden(`${path}.additionalProperties`, "must not be used if x-kubernetes-embedded-resource is set"),
			);
		if (schema["x-kubernetes-preserve-unknown-fields"] !== true && !hasProperties(schema)) {
			const why =
				"must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
			causes.push(required(`${path}.properties`, why));
		}
	} else if (
		type === "" &&
		schema["x-kubernetes-int-or-string"] !== true &&
		schema["x-kubernetes-preserve-unknown-fields"] !== true
	)
		causes.push(required(`${path}.type`, emptyType[level]));
	if (level === "root" && type !== "" && type !== "object")
		causes.push(invalidValue(`${path}.type`, type, "must be object at the root"));
	return causes;
}

/** apiVersion, kind and metadata are what they are in every object; of metadata only names may be restricted. */
function metaFieldCauses(schema: SchemaProps, level: Level, path: string): Cause[] {
	const causes: Cause[] = [];
	const isObject = level === "root" || schema["x-kubernetes-embedded-resource"] === true;
	const types = isObject
		? ([
				["kind", "string"],
				["apiVersion", "string"],
				["metadata", "object"],
			] as const)
		: [];
	for (const [name, wanted] of types) {
		const property = propertyOf(schema, name);
		if (property === undefined || property.type === wanted) continue;
		causes.push(invalidValue(`${path}.properties[${name}].type`, property.type ?? "", `must be ${wanted}`));
	}
	const metadata = propertyOf(schema, "metadata");
	if (level === "root" && metadata !== undefined && !restrictsOnlyNames(metadata)) {
		const why = "must not specify anything other than name and generateName, but metadata is implicitly specified";
		causes.push(forbidden(`${path}.properties[metadata]`, why));
	}
	return causes;
}

function restrictsOnlyNames({ type: _, default: __, properties = {}, ...others }: SchemaProps): boolean {
	const isName = (name: string) => name === "name" || name === "generateName";
	return Object.keys(properties).every(isName) && !Object.values(others).some(isSet);
}

/** The two forms in which allOf and anyOf may name types: for integers or strings. */
function intOrStringPattern({ anyOf = [], allOf = [] }: SchemaProps): "anyOf" | "allOf" | undefined {
	if (isIntOrString(anyOf)) return "anyOf";
	return isIntOrString(allOf[0]?.anyOf ?? []) ? "allOf" : undefined;
}

function isIntOrString([first, second, ...more]: readonly SchemaProps[]): boolean {
	return isOnlyType(first, "integer") && isOnlyType(second, "string") && more.length === 0;
}

function isOnlyType(schema: SchemaProps | undefined, wanted: string): boolean {
	if (schema === undefined) return false;
	const { type, ...others } = schema;
	return type === wanted && !Object.values(others).some(isSet);
}

/** What the parts that restrict a value may not say. */
function restrictionCauses(schema: SchemaProps, pattern: "anyOf" | "allOf" | undefined, path: string): Cause[] {
	const { allOf = [], anyOf = [], oneOf = [], not } = schema;
	const causes: Cause[] = [];
	if (pattern !== "anyOf")
		for (const [index, one] of anyOf.entries()) causes.push(...nestedCauses(one, `${path}.anyOf[${index}]`));
	for (const [index, one] of allOf.entries()) {
		const first = index === 0 && pattern === "allOf" ? "anyOf" : undefined;
		causes.push(...nestedCauses(one, `${path}.allOf[${index}]`, first));
	}
	for (const [index, one] of oneOf.entries()) causes.push(...nestedCauses(one, `${path}.oneOf[${index}]`));
	if (not !== undefined) causes.push(...nestedCauses(not, `${path}.not`));
	return [...causes, ...patternCauses(schema, path)];
}

function patternCauses({ pattern }: SchemaProps, path: string): Cause[] {
	if (pattern === undefined || pattern === "") return [];
	try {
		regex(pattern);
		return [];
	} catch (error) {
		const why = `must be a valid regular expression, but isn't: ${messageOf(error)}`;
		return [invalidValue(`${path}.pattern`, pattern, why)];
	}
}

/** Keyword → what it must be inside of allOf, anyOf, oneOf and not. */
const onlyOutside: Readonly<Partial<Record<keyof SchemaProps, string>>> = {
	type: "must be empty to be structural",
	default: "must be undefined to be structural",
	title: "must be empty to be structural",
	description: "must be empty to be structural",
	nullable: "must be false to be structural",
	"x-kubernetes-preserve-unknown-fields": "must be false to be structural",
	"x-kubernetes-embedded-resource": "must be false to be structural",
	"x-kubernetes-int-or-string": "must be false to be structural",
	"x-kubernetes-list-map-keys": "must be empty to be structural",
	"x-kubernetes-list-type": "must be undefined to be structural",
	"x-kubernetes-map-type": "must be undefined to be structural",
	"x-kubernetes-validations": "must be empty to be structural",
};

function nestedCauses(schema: SchemaProps, path: string, pattern?: "anyOf"): Cause[] {
	const causes = restrictionCauses(schema, pattern, path);
	const items = itemsOf(schema);
	if (items !== undefined) causes.push(...nestedCauses(items, `${path}.items`));
	for (const [name, property] of Object.entries(schema.properties ?? {}))
		causes.push(...nestedCauses(property, `${path}.properties[${name}]`));
	if (isSet(schema.additionalProperties))
		causes.push(forbidden(`${path}.additionalProperties`, "must be undefined to be structural"));
	for (const [name, why] of Object.entries(onlyOutside)) {
		// The table has keywords only.
		if (isSet(schema[name as keyof SchemaProps])) causes.push(forbidden(`${path}.${name}`, why));
	}
	if (propertyOf(schema, "metadata") !== undefined)
		causes.push(forbidden(`${path}.properties[metadata]`, "must not be specified in a nested context"));
	return causes;
}
