/** A schema as patches and managed fields see it: which lists are sets or have keys, and what is one value. */
import type { FieldSchema, Schemas, TypeSchema } from "../engine/type-schema.ts";
import { itemsOf, type SchemaProps, valuesOf } from "./schema/schema-props.ts";

const metadata: FieldSchema = { type: "ObjectMeta", default: {} };
/** Whatever JSON it is: objects are taken apart, lists are not. */
const anything: FieldSchema = { type: "any", mapType: "granular" };

/**
 * Types are made when someone asks for them, and named by the path of their schema: `com.example.v1.Foo.spec.ports[]`.
 * Types that other kinds have, too, such as ObjectMeta, are not among them.
 * @param rootName name of the type of whole objects
 */
export function patchTypes(root: () => SchemaProps, rootName: string): Schemas {
	const schemas = new Map<string, SchemaProps>();
	const types = new Map<string, TypeSchema | undefined>();

	function typeOf(name: string, schema: SchemaProps): TypeSchema | undefined {
		const isObject = name === rootName || schema["x-kubernetes-embedded-resource"] === true;
		const { properties } = schema;
		if (!isObject && properties === undefined && preserves(schema)) return undefined;
		// Without a prototype: a field may be called `constructor`.
		const fields: Record<string, FieldSchema> = Object.create(null);
		for (const [key, property] of Object.entries(properties ?? {})) fields[key] = fieldOf(property, `${name}.${key}`);
		if (isObject) Object.assign(fields, { apiVersion: { type: "string" }, kind: { type: "string" }, metadata });
		return fields;
	}

	function fieldOf(schema: SchemaProps, name: string): FieldSchema {
		if (schema["x-kubernetes-int-or-string"] === true) return { type: "intOrString" };
		switch (schema.type) {
			case "string":
			case "boolean":
			case "number":
				return { type: schema.type, ...defaultOf(schema) };
			case "integer":
				return { type: "int64", ...defaultOf(schema) };
			case "array":
				return listOf(schema, name);
			case "object":
				return { ...objectOf(schema, name), ...mapTypeOf(schema) };
			default:
				return anything;
		}
	}

	function listOf(schema: SchemaProps, name: string): FieldSchema {
		const listType = schema["x-kubernetes-list-type"];
		const item = itemsOf(schema);
		const items = item === undefined ? anything : fieldOf(item, `${name}[]`);
		const field: FieldSchema = { type: items.type, of: "array", ...contentOf(items) };
		if (listType === "set") return { ...field, listType };
		if (listType !== "map") return { ...field, listType: "atomic" };
		return { ...field, listType, listMapKeys: schema["x-kubernetes-list-map-keys"] ?? [] };
	}

	function objectOf(schema: SchemaProps, name: string): FieldSchema {
		const value = valuesOf(schema);
		if (value === undefined) {
			if (schema.properties === undefined && schema.additionalProperties === true) return anything;
			schemas.set(name, schema);
			return { type: name };
		}
		const values = fieldOf(value, `${name}{}`);
		return { type: values.type, of: "map", ...contentOf(values) };
	}

	return {
		type(name) {
			const schema = name === rootName ? root() : schemas.get(name);
			if (schema === undefined) return undefined;
			if (!types.has(name)) types.set(name, typeOf(name, schema));
			return types.get(name);
		},
	};
}

/** What the type alone does not say of the items of a list or the values of a map. */
function contentOf(field: FieldSchema): { items?: FieldSchema } {
	return field.of === undefined && field.mapType === undefined ? {} : { items: field };
}

function preserves(schema: SchemaProps): boolean {
	return schema["x-kubernetes-preserve-unknown-fields"] === true;
}

function mapTypeOf(schema: SchemaProps): { mapType?: "atomic" } {
	return schema["x-kubernetes-map-type"] === "atomic" ? { mapType: "atomic" } : {};
}

/** An item of a keyed list is known by the default of a key that it lacks. */
function defaultOf({ default: value }: SchemaProps): { default?: unknown } {
	return value === undefined || value === null ? {} : { default: value };
}
