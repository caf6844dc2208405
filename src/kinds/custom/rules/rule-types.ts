/** The types that values of a schema have in the expressions of its rules, and how large they may be. */
import {
	boolType,
	bytesType,
	doubleType,
	durationType,
	dynType,
	escapeName,
	type Field,
	intType,
	type ListSemantics,
	listType,
	mapType,
	objectType,
	sizedType,
	stringType,
	type Type,
	timestampType,
	unescapeName,
} from "../../../core/cel/cel.ts";
import { hasDefault, itemsOf, propertyOf, type SchemaProps, valuesOf } from "../schema/schema-props.ts";

/** The size of a request bounds what no schema does. */
export const largestRequestBytes = 3 * 1024 * 1024;
const quotes = 2;
const longestText = largestRequestBytes - quotes;

/** Sizes of texts with a format, in JSON: the least, and the largest number of characters. */
const formats: Readonly<Record<string, { type: Type; least: number; most: number }>> = {
	byte: { type: bytesType, least: 2, most: longestText },
	duration: { type: durationType, least: 3, most: 32 },
	date: { type: timestampType, least: 12, most: 12 },
	"date-time": { type: timestampType, least: 21, most: 32 },
};

/**
 * @param name of the type, which distinguishes objects of different schemas
 * @param isObject whether it is a whole object of the API, which has a name and a kind whatever its schema says
 * @returns undefined for a value that no expression sees: where there may be anything
 */
export function ruleType(schema: SchemaProps, name: string, isObject: boolean): Type | undefined {
	if (schema["x-kubernetes-int-or-string"] === true) return sizedType(dynType, textSize(schema));
	switch (schema.type) {
		case "array": {
			const items = itemsOf(schema);
			const type = items && ruleType(items, `${name}.@elem`, isEmbedded(items));
			if (items === undefined || type === undefined) return undefined;
			const most = Math.floor((largestRequestBytes - quotes) / (leastBytes(items, isEmbedded(items)) + 1));
			return listType(type, positive(schema.maxItems) ?? most, semanticsOf(schema));
		}
		case "object": {
			const values = valuesOf(schema);
			if (values === undefined) return fieldsType(isObject ? withMetaFields(schema) : schema, name);
			const type = ruleType(values, `${name}.@elem`, isEmbedded(values));
			if (type === undefined) return undefined;
			// Beside its value an entry has quotes, a colon, a comma and a key.
			const most = Math.floor((largestRequestBytes - quotes) / (leastBytes(values, isEmbedded(values)) + 6));
			return mapType(sizedType(stringType, 0), type, positive(schema.maxProperties) ?? most);
		}
		case "string":
			return sizedType(formatOf(schema)?.type ?? stringType, textSize(schema));
		case "boolean":
			return sizedType(boolType, 0);
		case "number":
			return sizedType(doubleType, 0);
		case "integer":
			return sizedType(intType, 0);
		default:
			return undefined;
	}
}

function fieldsType(schema: SchemaProps, name: string): Type {
	const known = new Map<string, Field | undefined>();
	const fieldOf = (escaped: string): Field | undefined => {
		const key = unescapeName(escaped);
		const property = key === undefined ? undefined : propertyOf(schema, key);
		if (key === undefined || property === undefined || escapeName(key) !== escaped) return undefined;
		const type = ruleType(property, `${name}.${escaped}`, isEmbedded(property));
		return type && { key, type };
	};
	const field = (escaped: string): Field | undefined => {
		if (!known.has(escaped)) known.set(escaped, fieldOf(escaped));
		return known.get(escaped);
	};
	return objectType(name, { field }, 0);
}

/** Of lists that are sets or maps the order does not count. */
function semanticsOf(schema: SchemaProps): ListSemantics | undefined {
	switch (schema["x-kubernetes-list-type"]) {
		case "set":
			return { kind: "set" };
		case "map":
			return { kind: "map", keys: schema["x-kubernetes-list-map-keys"] ?? [] };
		default:
			return undefined;
	}
}

function isEmbedded(schema: SchemaProps): boolean {
	return schema["x-kubernetes-embedded-resource"] === true;
}

function formatOf({ format = "" }: SchemaProps) {
	return Object.hasOwn(formats, format) ? formats[format] : undefined;
}

function positive(limit: number | undefined): number | undefined {
	return limit === undefined ? undefined : Math.max(limit, 0);
}

/** Characters of a text in bytes, of which one has up to four. */
function textSize(schema: SchemaProps): number {
	const isIntOrString = schema["x-kubernetes-int-or-string"] === true;
	const format = isIntOrString ? undefined : formatOf(schema);
	const limit = positive(schema.maxLength);
	if (format !== undefined) return format.type === bytesType ? (limit ?? longestText) : format.most;
	if (limit !== undefined) return limit * 4;
	if (isIntOrString || schema.enum === undefined || schema.enum.length === 0) return longestText;
	return Math.max(...schema.enum.map((value) => (typeof value === "string" ? Buffer.byteLength(value) : 0)));
}

/** The smallest size of a value in JSON. */
export function leastBytes(schema: SchemaProps, isObject: boolean): number {
	if (schema["x-kubernetes-int-or-string"] === true) return 1;
	switch (schema.type) {
		case "string":
			return formatOf(schema)?.least ?? quotes;
		case "boolean":
			return 4;
		case "object":
			if (valuesOf(schema) !== undefined) return 2;
			return leastBytesOfFields(isObject ? withMetaFields(schema) : schema);
		case "array":
			return 2;
		default:
			return 1;
	}
}

/** Fields that have defaults need not be sent. */
function leastBytesOfFields(schema: SchemaProps): number {
	let bytes = 2;
	for (const name of new Set(schema.required)) {
		const property = propertyOf(schema, name);
		if (property === undefined || hasDefault(property) || ruleType(property, "", false) === undefined) continue;
		bytes += Buffer.byteLength(name) + leastBytes(property, isEmbedded(property)) + 4;
	}
	return bytes;
}

const longestName = 253;

/** Fields of every object, regardless of its schema. */
function withMetaFields(schema: SchemaProps): SchemaProps {
	const metadata = propertyOf(schema, "metadata") ?? {};
	const name = (field: string, longest: number): SchemaProps => ({
		type: "string",
		maxLength: Math.min(propertyOf(metadata, field)?.maxLength ?? longest, longest),
	});
	const text: SchemaProps = { type: "string" };
	const names = { name: name("name", longestName), generateName: name("generateName", longestName - 1) };
	return {
		...schema,
		properties: { ...schema.properties, kind: text, apiVersion: text, metadata: { type: "object", properties: names } },
	};
}
