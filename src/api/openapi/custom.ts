/** Schemas of custom resources as OpenAPI documents publish them, in the dialects of v2 and v3. */
import { isRecord, setField } from "../../core/object.ts";
import { type Dialect, referenceTo } from "./dialect.ts";

type Schema = Readonly<Record<string, unknown>>;

const objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

const apiVersion = {
	description:
		"APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources",
	type: "string",
};
const kind = {
	description:
		"Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds",
	type: "string",
};

/** What v2 has no keyword for, or what kubectl cannot read in it. */
const notInV2: ReadonlySet<string> = new Set(["allOf", "anyOf", "oneOf", "not", "nullable", "example", "externalDocs"]);
const unknownFields = "x-kubernetes-preserve-unknown-fields";

/** @param schema of a version, which is structural; undefined: there is none */
export function customDefinition(schema: Schema | undefined, dialect: Dialect): Record<string, unknown> {
	// kubectl takes fields beside those that v2 lists for unknown, whatever else it says.
	if (schema === undefined || (dialect === "v2" && schema[unknownFields] === true)) return { type: "object" };
	const definition = rendered(schema, dialect);
	addCommon(definition, dialect);
	return definition;
}

/** What every object has. */
function addCommon(definition: Record<string, unknown>, dialect: Dialect): void {
	const properties = isRecord(definition["properties"]) ? definition["properties"] : {};
	const $ref = referenceTo(objectMeta, dialect);
	const description =
		"Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";
	const metadata = dialect === "v2" ? { description, $ref } : { allOf: [{ $ref }], description };
	definition["properties"] = { ...properties, apiVersion, kind, metadata };
}

function rendered(schema: Schema, dialect: Dialect): Record<string, unknown> {
	const isOpen = dialect === "v2" && schema[unknownFields] === true;
	const isNullable = dialect === "v2" && schema["nullable"] === true;
	const result: Record<string, unknown> = {};
	for (const keyword in schema) {
		const value = schema[keyword];
		if (dialect === "v2" && notInV2.has(keyword)) continue;
		// kubectl would check what is in it.
		if ((isOpen || isNullable) && (keyword === "items" || keyword === "properties")) continue;
		if ((isNullable || (isOpen && value === "object")) && keyword === "type") continue;
		const shown = renderedKeyword(keyword, value, dialect);
		if (shown !== undefined) setField(result, keyword, shown);
	}
	if (dialect === "v2") {
		if (result["type"] === "array" && result["items"] === undefined) delete result["type"];
		withoutNullables(result, schema);
	}
	if (schema["x-kubernetes-embedded-resource"] === true && !isOpen) embed(result, dialect);
	return result;
}

function renderedKeyword(keyword: string, value: unknown, dialect: Dialect): unknown {
	const inner = (child: unknown) => (isRecord(child) ? rendered(child, dialect) : child);
	switch (keyword) {
		case "properties":
			return isRecord(value) ? mapped(value, inner) : value;
		case "additionalProperties":
			// In v2 an object without properties is open anyway.
			return dialect === "v2" && !isRecord(value) ? undefined : inner(value);
		case "items":
		case "not":
			return inner(value);
		case "allOf":
		case "anyOf":
		case "oneOf":
			return Array.isArray(value) ? value.map(inner) : value;
		default:
			return value;
	}
}

function mapped(record: Schema, change: (value: unknown) => unknown): Record<string, unknown> {
	const result: Record<string, unknown> = {};
	for (const key in record) setField(result, key, change(record[key]));
	return result;
}

/** A field that may be null need not be there, as far as v2 can say. */
function withoutNullables(result: Record<string, unknown>, { required, properties, additionalProperties }: Schema) {
	if (!Array.isArray(required)) return;
	const isNullable = (schema: unknown) => isRecord(schema) && schema["nullable"] === true;
	const left = isNullable(additionalProperties)
		? []
		: required.filter((name) => !isRecord(properties) || !isNullable(properties[String(name)]));
	if (left.length > 0) result["required"] = left;
	else delete result["required"];
}

function embed(result: Record<string, unknown>, dialect: Dialect): void {
	addCommon(result, dialect);
	const required = Array.isArray(result["required"]) ? result["required"] : [];
	result["required"] = [...new Set([...required, "kind", "apiVersion"])];
}
