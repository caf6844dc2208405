/** Types of lists (`x-kubernetes-list-type`, `x-kubernetes-list-map-keys`), and what they ask of the items. */
import type { Cause } from "../../../../core/errors.ts";
import { forbidden, invalidValue, notSupported, required } from "../../../../core/validation/field-errors.ts";
import { hasDefault, itemsOf, propertyOf, type SchemaProps } from "../schema-props.ts";

const listTypes = ["atomic", "set", "map"];

export function listCauses(schema: SchemaProps, path: string): Cause[] {
	const listType = schema["x-kubernetes-list-type"];
	const keys = schema["x-kubernetes-list-map-keys"] ?? [];
	const causes: Cause[] = [];
	if (listType !== undefined) causes.push(...typeCauses(schema, listType, path));
	if (keys.length > 0 && listType !== "map") {
		const why = "must be map if x-kubernetes-list-map-keys is non-empty";
		const field = `${path}.x-kubernetes-list-type`;
		causes.push(listType === undefined ? required(field, why) : invalidValue(field, listType, why));
	}
	if (listType === "map") causes.push(...keyedCauses(schema, keys, path));
	if (listType === "map" || listType === "set") causes.push(...nullCauses(schema, listType, keys, path));
	return causes;
}

function typeCauses(schema: SchemaProps, listType: string, path: string): Cause[] {
	const { type = "" } = schema;
	const causes: Cause[] = [];
	if (type !== "array") {
		const why = "must be array if x-kubernetes-list-type is specified";
		causes.push(type === "" ? required(`${path}.type`, why) : invalidValue(`${path}.type`, type, why));
	} else if (listType === "set") causes.push(...setItemCauses(itemsOf(schema), path));
	if (!listTypes.includes(listType)) causes.push(notSupported(`${path}.x-kubernetes-list-type`, listType, listTypes));
	return causes;
}

/** Values of a set are compared as a whole. */
function setItemCauses(items: SchemaProps | undefined, path: string): Cause[] {
	const why = "must be atomic as item of a list with x-kubernetes-list-type=set";
	// Upstream shows the list type of the items in both messages.
	const listType = items?.["x-kubernetes-list-type"] ?? null;
	if (items?.type === "array" && listType !== null && listType !== "atomic")
		return [invalidValue(`${path}.items.x-kubernetes-list-type`, listType, why)];
	if (items?.type === "object" && items["x-kubernetes-map-type"] !== "atomic")
		return [invalidValue(`${path}.items.x-kubernetes-map-type`, listType ?? "null", why)];
	return [];
}

function keyedCauses(schema: SchemaProps, keys: readonly string[], path: string): Cause[] {
	const causes: Cause[] = [];
	const keysPath = `${path}.x-kubernetes-list-map-keys`;
	if (keys.length === 0) causes.push(required(keysPath, "must not be empty if x-kubernetes-list-type is map"));
	if (schema.items === undefined) {
		causes.push(required(`${path}.items`, "must have a schema if x-kubernetes-list-type is map"));
		return causes;
	}
	const items = itemsOf(schema);
	if (items === undefined) {
		const why = "must only have a single schema if x-kubernetes-list-type is map";
		return [...causes, invalidValue(`${path}.items`, schema.items, why)];
	}
	if (items.type !== "object") {
		const why = "must be object if parent array's x-kubernetes-list-type is map";
		return [...causes, invalidValue(`${path}.items.type`, items.type ?? "", why)];
	}
	const seen = new Set<string>();
	for (const key of keys) {
		const property = propertyOf(items, key);
		if (property === undefined)
			causes.push(invalidValue(keysPath, keys, "entries must all be names of item properties"));
		else if (property.type === "array" || property.type === "object") {
			const why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
			causes.push(invalidValue(`${path}.items.properties[${key}].type`, items.type, why));
		}
		if (seen.has(key)) causes.push(invalidValue(keysPath, keys, "must not contain duplicate entries"));
		seen.add(key);
	}
	return causes;
}

/** Items and their keys are required where keys distinguish the items. */
function nullCauses(schema: SchemaProps, listType: string, keys: readonly string[], path: string): Cause[] {
	const items = itemsOf(schema);
	if (items === undefined) return [];
	const causes: Cause[] = [];
	if (items.nullable === true)
		causes.push(forbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${listType}`));
	for (const key of listType === "map" ? keys : []) {
		const property = propertyOf(items, key);
		if (property === undefined) continue;
		const at = `${path}.items.properties[${key}]`;
		if (!items.required?.includes(key) && !hasDefault(property)) {
			const why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
			causes.push(required(`${at}.default`, why));
		}
		if (property.nullable === true)
			causes.push(
				forbidden(`${at}.nullable`, "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"),
			);
	}
	return causes;
}
