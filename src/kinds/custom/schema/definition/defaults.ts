/** Defaults must be values that the schema allows, and have nothing that it lacks. */
import type { Cause } from "../../../../core/errors.ts";
import { isRecord } from "../../../../core/object.ts";
import { invalidValue } from "../../../../core/validation/field-errors.ts";
import { checkValue } from "../check.ts";
import { embeddedCauses, embeddedResources, resourceCauses } from "../embedded.ts";
import { SchemaNode } from "../schema-node.ts";
import { hasDefault, itemsOf, type SchemaProps } from "../schema-props.ts";
import { takenWhole } from "../take.ts";

/** Builds an object around a value, with the value in its place. */
type Surround = (value: unknown) => unknown;

const itself: Surround = (value) => value;

/** @param path of the schema: `spec.validation.openAPIV3Schema` */
export function defaultCauses(schema: SchemaProps, path: string): Cause[] {
	return causesIn({ ...schema, "x-kubernetes-embedded-resource": true }, path, itself, false);
}

/** @param surround builds the nearest object of the API @param isInMeta whether it is part of its metadata */
function causesIn(schema: SchemaProps, path: string, surround: Surround, isInMeta: boolean): Cause[] {
	const isObject = schema["x-kubernetes-embedded-resource"] === true;
	const [around, inMeta] = isObject ? [itself, false] : [surround, isInMeta];
	const causes: Cause[] = [];
	if (hasDefault(schema)) causes.push(...ownCauses(schema, `${path}.default`, around, inMeta));
	const items = itemsOf(schema);
	if (items !== undefined) causes.push(...causesIn(items, `${path}.items`, (item) => around([item]), inMeta));
	for (const [name, property] of Object.entries(schema.properties ?? {})) {
		const isMeta = isObject && (name === "metadata" || name === "apiVersion" || name === "kind");
		const aroundField: Surround = (value) => around({ [name]: value });
		causes.push(...causesIn(property, `${path}.properties[${name}]`, aroundField, inMeta || isMeta));
	}
	return causes;
}

function ownCauses(schema: SchemaProps, path: string, surround: Surround, isInMeta: boolean): Cause[] {
	const { default: value } = schema;
	const node = new SchemaNode(schema);
	const causes: Cause[] = [];
	if (isInMeta) {
		const object = surround(value);
		const whole = { apiVersion: "validation/v1", kind: "Validation", ...(isRecord(object) ? object : {}) };
		const [wrong] = resourceCauses(whole, "");
		if (wrong !== undefined)
			return [invalidValue(path, value, `must result in valid metadata: ${wrong.field}: ${wrong.message}`)];
	} else {
		const { unknownFields, problems } = takenWhole(value, node);
		if (unknownFields.length > 0) causes.push(invalidValue(path, value, "must not have unknown fields"));
		if (problems.length > 0) {
			const [field = "", ...why] = (problems[0]?.message ?? "").split(": ");
			return [...causes, { reason: "FieldValueInvalid", field: `${path}.${field}`, message: why.join(": ") }];
		}
		const embedded = embeddedCauses(embeddedResources(schema), value, path);
		if (embedded.length > 0) return [...causes, ...embedded];
	}
	return [...causes, ...checkValue(node, value, { base: path })];
}
