/** Keywords that a schema may not have, or not together, and those of Kubernetes (`x-kubernetes-…`). */
import type { Cause } from "../../../../core/errors.ts";
import { forbidden, invalidValue, notSupported, required } from "../../../../core/validation/field-errors.ts";
import { hasDefault, hasProperties, itemsOf, type SchemaProps, valuesOf } from "../schema-props.ts";
import { listCauses } from "./list-keywords.ts";
import { ruleFieldCauses } from "./rule-fields.ts";
import { isSet } from "./set-fields.ts";

/** The position of a part of a schema. */
interface Position {
	path: string;
	isRoot: boolean;
	/** In the schema of apiVersion, kind or metadata, of the object or of one that is embedded in it. */
	isInMeta: boolean;
	/** Why there may be no defaults. */
	noDefaults: string | undefined;
}

const types = ["array", "boolean", "integer", "number", "object", "string"];
const metaFields = new Set(["apiVersion", "kind", "metadata"]);

/** @param path of the schema: `spec.validation.openAPIV3Schema` */
export function keywordCauses(schema: SchemaProps, path: string): Cause[] {
	const causes: Cause[] = [];
	addCauses(schema, { path, isRoot: true, isInMeta: false, noDefaults: undefined }, causes);
	return causes;
}

function addCauses(schema: SchemaProps, position: Position, causes: Cause[]): void {
	const { path } = position;
	causes.push(...ownCauses(schema, position));
	const inside = { ...position, isRoot: false };
	const add = (part: SchemaProps, name: string, more: Partial<Position> = {}) =>
		addCauses(part, { ...inside, ...more, path: `${path}.${name}` }, causes);
	const addAll = (parts: readonly SchemaProps[] = [], name: string) => {
		for (const [index, part] of parts.entries()) add(part, `${name}[${index}]`);
	};

	const values = valuesOf(schema);
	if (values !== undefined) {
		const noDefaults = position.isInMeta
			? "inside additionalProperties applying to object metadata"
			: position.noDefaults;
		add(values, "additionalProperties", { noDefaults });
	}
	for (const [name, property] of Object.entries(schema.properties ?? {})) {
		const isObject = position.isRoot || schema["x-kubernetes-embedded-resource"] === true;
		const isMeta = isObject && metaFields.has(name);
		const noDefaults = isMeta && position.isRoot ? `in top-level ${name}` : position.noDefaults;
		add(property, `properties[${name}]`, { isInMeta: isMeta || position.isInMeta, noDefaults });
	}
	if (schema.not !== undefined) add(schema.not, "not");
	addAll(schema.allOf, "allOf");
	addAll(schema.oneOf, "oneOf");
	addAll(schema.anyOf, "anyOf");
	for (const [name, one] of Object.entries(schema.definitions ?? {})) add(one, `definitions[${name}]`);
	const items = itemsOf(schema);
	if (items !== undefined) add(items, "items");
	if (Array.isArray(schema.items)) addAll(schema.items, "items");
	causes.push(...extensionCauses(schema, path), ...listCauses(schema, path), ...ruleFieldCauses(schema, path));
}

function ownCauses(schema: SchemaProps, { path, isInMeta, noDefaults }: Position): Cause[] {
	const { type = "" } = schema;
	const causes: Cause[] = [];
	if (type !== "" && !types.includes(type)) causes.push(notSupported(`${path}.type`, type, types));
	if (noDefaults !== undefined && hasDefault(schema))
		causes.push(forbidden(`${path}.default`, `must not be set ${noDefaults}`));
	for (const name of ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"] as const)
		if (isSet(schema[name]) || schema[name] === false)
			causes.push(forbidden(`${path}.${name}`, `${name} is not supported`));
	if (type === "null")
		causes.push(forbidden(`${path}.type`, "type cannot be set to null, use nullable as an alternative"));
	if (Array.isArray(schema.items) && schema.items.length > 0)
		causes.push(forbidden(`${path}.items`, "items must be a schema object and not an array"));
	if (isInMeta && schema["x-kubernetes-embedded-resource"] === true)
		causes.push(forbidden(`${path}.x-kubernetes-embedded-resource`, "must not be used inside of resource meta"));
	if (schema.uniqueItems === true) {
		const why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
		causes.push(forbidden(`${path}.uniqueItems`, why));
	}
	const { additionalProperties } = schema;
	if (additionalProperties !== undefined && additionalProperties !== true && hasProperties(schema))
		causes.push(forbidden(`${path}.additionalProperties`, "additionalProperties and properties are mutual exclusive"));
	return causes;
}

function extensionCauses(schema: SchemaProps, path: string): Cause[] {
	const { type = "" } = schema;
	const causes: Cause[] = [];
	if (schema["x-kubernetes-preserve-unknown-fields"] === false)
		causes.push(invalidValue(`${path}.x-kubernetes-preserve-unknown-fields`, false, "must be true or undefined"));
	const mapType = schema["x-kubernetes-map-type"];
	if (mapType === undefined) return causes;
	if (type !== "object") {
		const why = "must be object if x-kubernetes-map-type is specified";
		causes.push(type === "" ? required(`${path}.type`, why) : invalidValue(`${path}.type`, type, why));
	}
	if (mapType !== "atomic" && mapType !== "granular")
		causes.push(notSupported(`${path}.x-kubernetes-map-type`, mapType, ["atomic", "granular"]));
	return causes;
}
