import { describe, expect, test } from "vitest";
import type { SchemaProps } from "../schema-props.ts";
import { schemaCauses } from "./schema-causes.ts";

function causes(schema: SchemaProps, hasStatus = false): string[] {
	const found = schemaCauses(schema, { path: "s", hasStatus });
	return found.map(({ field, message }) => `${field}: ${message}`);
}

const object = (properties: Record<string, SchemaProps>, more: SchemaProps = {}): SchemaProps => ({
	type: "object",
	properties,
	...more,
});
/** A schema whose field x has a schema. */
const x = (schema: SchemaProps): SchemaProps => object({ x: schema });
const text: SchemaProps = { type: "string" };
const anything = { "x-kubernetes-preserve-unknown-fields": true } as const;
const embedded = { "x-kubernetes-embedded-resource": true } as const;
const intOrString = { "x-kubernetes-int-or-string": true } as const;

describe("a schema is structural", () => {
	test.each<[string, SchemaProps]>([
		["when all fields have types", object({ spec: object({ list: { type: "array", items: text } }) })],
		["without types where unknown fields are preserved", x(anything)],
		["without a type for integers or strings", x(intOrString)],
		[
			"with the types of integers or strings in anyOf",
			x({ ...intOrString, anyOf: [{ type: "integer" }, { type: "string" }] }),
		],
		[
			"with them in the first of allOf",
			x({ ...intOrString, allOf: [{ anyOf: [{ type: "integer" }, { type: "string" }] }, { pattern: "a" }] }),
		],
		[
			"with restrictions of what is there",
			object({
				spec: object({ a: text, b: text }, { oneOf: [{ required: ["a"] }, { properties: { b: { minLength: 1 } } }] }),
			}),
		],
		[
			"with restrictions of names in metadata",
			object({ metadata: object({ name: { type: "string", maxLength: 10 } }) }),
		],
		["with embedded objects", x({ type: "object", ...embedded, ...anything })],
	])("%s", (_, schema) => {
		expect(causes(schema)).toEqual([]);
	});

	test.each<[SchemaProps, string[]]>([
		[{}, ["s.type: Required value: must not be empty at the root"]],
		[{ type: "string" }, ['s.type: Invalid value: "string": must be object at the root']],
		[x({}), ["s.properties[x].type: Required value: must not be empty for specified object fields"]],
		[
			x({ type: "array", items: {} }),
			["s.properties[x].items.type: Required value: must not be empty for specified array items"],
		],
		[x({ type: "array" }), ["s.properties[x].items: Required value: must be specified"]],
		[
			{ type: "object", additionalProperties: text },
			["s.additionalProperties: Forbidden: must not be used at the root"],
		],
		[
			x({ ...intOrString, ...anything }),
			[
				"s.properties[x].x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true",
			],
		],
		[
			x({ ...embedded, ...anything }),
			["s.properties[x].type: Required value: must be object if x-kubernetes-embedded-resource is true"],
		],
		[
			x({ type: "object", ...embedded }),
			[
				"s.properties[x].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
			],
		],
		[object({ kind: { type: "integer" } }), ['s.properties[kind].type: Invalid value: "integer": must be string']],
		[object({ metadata: text }), ['s.properties[metadata].type: Invalid value: "string": must be object']],
		[
			object({ metadata: object({ labels: { type: "object", additionalProperties: text } }) }),
			[
				"s.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified",
			],
		],
		[
			x({ type: "object", anyOf: [{ type: "object" }] }),
			["s.properties[x].anyOf[0].type: Forbidden: must be empty to be structural"],
		],
		[
			x({ ...text, allOf: [{ description: "d", title: "t", default: "x", nullable: true }] }),
			[
				"s.properties[x].allOf[0].default: Forbidden: must be undefined to be structural",
				"s.properties[x].allOf[0].description: Forbidden: must be empty to be structural",
				"s.properties[x].allOf[0].nullable: Forbidden: must be false to be structural",
				"s.properties[x].allOf[0].title: Forbidden: must be empty to be structural",
			],
		],
		[
			x({ type: "object", not: { additionalProperties: {} } }),
			["s.properties[x].not.additionalProperties: Forbidden: must be undefined to be structural"],
		],
		[
			object({}, { oneOf: [{ properties: { a: { minLength: 1 } } }] }),
			["s.properties[a]: Required value: because it is defined in s.oneOf[0].properties[a]"],
		],
		[
			object({ a: { type: "object", ...anything } }, { not: { properties: { a: { items: { minLength: 1 } } } } }),
			["s.properties[a].items: Required value: because it is defined in s.not.properties[a].items"],
		],
		[
			object({ metadata: object({}) }, { allOf: [{ properties: { metadata: {} } }] }),
			["s.allOf[0].properties[metadata]: Forbidden: must not be specified in a nested context"],
		],
		[
			x({ ...text, pattern: "(?=a)" }),
			[
				's.properties[x].pattern: Invalid value: "(?=a)": must be a valid regular expression, but isn\'t: error parsing regexp: invalid or unsupported Perl syntax: `(?=`',
			],
		],
		[
			x({ ...text, pattern: "a{1001}" }),
			[
				's.properties[x].pattern: Invalid value: "a{1001}": must be a valid regular expression, but isn\'t: error parsing regexp: invalid repeat count: `{1001}`',
			],
		],
		[
			x({ type: "object", allOf: [{ "x-kubernetes-validations": [{ rule: "true" }] }] }),
			["s.properties[x].allOf[0].x-kubernetes-validations: Forbidden: must be empty to be structural"],
		],
	])("%j is not", (schema, expected) => {
		expect(causes(schema)).toEqual(expected);
	});
});

describe("keywords", () => {
	test.each<[SchemaProps, string[]]>([
		[
			x({ ...text, uniqueItems: true }),
			[
				"s.properties[x].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
			],
		],
		[
			x({ ...object({ a: text }), additionalProperties: false }),
			["s.properties[x].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive"],
		],
		[x({ ...object({ a: text }), additionalProperties: true }), []],
		[x({ ...text, $ref: "#/definitions/x" }), ["s.properties[x].$ref: Forbidden: $ref is not supported"]],
		[object({}, { definitions: { a: text } }), ["s.definitions: Forbidden: definitions is not supported"]],
		[x({ ...text, id: "a" }), ["s.properties[x].id: Forbidden: id is not supported"]],
		[
			x({ type: "object", patternProperties: { a: text } }),
			["s.properties[x].patternProperties: Forbidden: patternProperties is not supported"],
		],
		[
			x({ type: "object", dependencies: { a: ["b"] } }),
			["s.properties[x].dependencies: Forbidden: dependencies is not supported"],
		],
		[
			x({ type: "array", items: text, additionalItems: false }),
			["s.properties[x].additionalItems: Forbidden: additionalItems is not supported"],
		],
		[
			x({ type: "array", items: [text] }),
			["s.properties[x].items: Forbidden: items must be a schema object and not an array"],
		],
		[
			{ type: "object", $schema: "http://json-schema.org/draft-04/schema#" },
			["s: Invalid value: \"\": OpenAPIV3Schema 'schema' is not supported"],
		],
		[{ type: "object", nullable: true }, ["s.nullable: Forbidden: nullable cannot be true at the root"]],
		[
			x({ type: "text" }),
			[
				's.properties[x].type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"',
			],
		],
		[
			x({ ...text, "x-kubernetes-map-type": "atomic" }),
			['s.properties[x].type: Invalid value: "string": must be object if x-kubernetes-map-type is specified'],
		],
		[
			x({ type: "object", "x-kubernetes-map-type": "loose" }),
			['s.properties[x].x-kubernetes-map-type: Unsupported value: "loose": supported values: "atomic", "granular"'],
		],
		[
			x({ ...anything, "x-kubernetes-preserve-unknown-fields": false, type: "object" }),
			["s.properties[x].x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined"],
		],
	])("%j", (schema, expected) => {
		expect(causes(schema)).toEqual(expected);
	});
});

describe("lists", () => {
	const list = (more: SchemaProps, items: SchemaProps = text): SchemaProps => x({ type: "array", items, ...more });
	const keyed = { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"] };
	test.each<[SchemaProps, string[]]>([
		[list({ "x-kubernetes-list-type": "set" }), []],
		[list(keyed, object({ a: text }, { required: ["a"] })), []],
		[list(keyed, object({ a: { ...text, default: "" } })), []],
		[
			list({ "x-kubernetes-list-type": "bag" }),
			['s.properties[x].x-kubernetes-list-type: Unsupported value: "bag": supported values: "atomic", "set", "map"'],
		],
		[
			x({ ...text, "x-kubernetes-list-type": "atomic" }),
			['s.properties[x].type: Invalid value: "string": must be array if x-kubernetes-list-type is specified'],
		],
		[
			list({ "x-kubernetes-list-type": "set" }, object({ a: text })),
			[
				's.properties[x].items.x-kubernetes-map-type: Invalid value: "null": must be atomic as item of a list with x-kubernetes-list-type=set',
			],
		],
		[
			list({ "x-kubernetes-list-type": "set" }, { type: "array", items: text, "x-kubernetes-list-type": "set" }),
			[
				's.properties[x].items.x-kubernetes-list-type: Invalid value: "set": must be atomic as item of a list with x-kubernetes-list-type=set',
			],
		],
		[
			list({ "x-kubernetes-list-map-keys": ["a"] }),
			[
				"s.properties[x].x-kubernetes-list-type: Required value: must be map if x-kubernetes-list-map-keys is non-empty",
			],
		],
		[
			list({ "x-kubernetes-list-type": "set", "x-kubernetes-list-map-keys": ["a"] }),
			[
				's.properties[x].x-kubernetes-list-type: Invalid value: "set": must be map if x-kubernetes-list-map-keys is non-empty',
			],
		],
		[
			list({ "x-kubernetes-list-type": "map" }, object({ a: text })),
			[
				"s.properties[x].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
			],
		],
		[
			list(keyed),
			[
				's.properties[x].items.type: Invalid value: "string": must be object if parent array\'s x-kubernetes-list-type is map',
			],
		],
		[
			list(keyed, object({ b: text })),
			[
				's.properties[x].x-kubernetes-list-map-keys: Invalid value: ["a"]: entries must all be names of item properties',
			],
		],
		[
			list(keyed, object({ a: object({}) }, { required: ["a"] })),
			[
				's.properties[x].items.properties[a].type: Invalid value: "object": must be a scalar type if parent array\'s x-kubernetes-list-type is map',
			],
		],
		[
			list(keyed, object({ a: text })),
			[
				"s.properties[x].items.properties[a].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
			],
		],
		[
			list(keyed, object({ a: { ...text, nullable: true } }, { required: ["a"], nullable: true })),
			[
				"s.properties[x].items.nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is map",
				"s.properties[x].items.properties[a].nullable: Forbidden: this property is in x-kubernetes-list-map-keys, so it cannot be nullable",
			],
		],
		[
			list({ ...keyed, "x-kubernetes-list-map-keys": ["a", "a"] }, object({ a: text }, { required: ["a"] })),
			['s.properties[x].x-kubernetes-list-map-keys: Invalid value: ["a","a"]: must not contain duplicate entries'],
		],
	])("%j", (schema, expected) => {
		expect(causes(schema)).toEqual(expected);
	});
});

describe("defaults", () => {
	const inMetadata = (metadata: SchemaProps) => x(object({ apiVersion: text, kind: text, metadata }, embedded));
	test.each<[SchemaProps, string[]]>([
		[x({ ...text, default: "a" }), []],
		[
			x({ ...text, default: 5 }),
			['s.properties[x].default: Invalid value: "integer":  in body must be of type string: "integer"'],
		],
		[
			x(object({ a: text }, { default: { b: 1 } })),
			['s.properties[x].default: Invalid value: {"b":1}: must not have unknown fields'],
		],
		[
			x(object({ a: { ...text, pattern: "^b" } }, { default: { a: "c" } })),
			["s.properties[x].default.a: Invalid value: \"c\": a in body should match '^b'"],
		],
		[
			x({ type: "array", items: { ...text, default: 1 } }),
			['s.properties[x].items.default: Invalid value: "integer":  in body must be of type string: "integer"'],
		],
		[
			object({ metadata: { type: "object", default: {} } }),
			["s.properties[metadata].default: Forbidden: must not be set in top-level metadata"],
		],
		[
			inMetadata(object({ name: { ...text, default: "a/b" } })),
			[
				`s.properties[x].properties[metadata].properties[name].default: Invalid value: "a/b": must result in valid metadata: metadata.name: Invalid value: "a/b": may not contain '/'`,
			],
		],
		[
			inMetadata(object({ labels: { type: "object", additionalProperties: { ...text, default: "a" } } })),
			[
				"s.properties[x].properties[metadata].properties[labels].additionalProperties.default: Forbidden: must not be set inside additionalProperties applying to object metadata",
			],
		],
		[
			x({ type: "object", ...embedded, ...anything, default: { kind: "Pod" } }),
			["s.properties[x].default.apiVersion: Required value"],
		],
		[
			x({ type: "object", ...embedded, ...anything, default: { apiVersion: "v1", kind: 5 } }),
			["s.properties[x].default.kind: Invalid value: 5: must be a string"],
		],
		[x({ type: "object", ...embedded, ...anything, default: { apiVersion: "v1", kind: "Pod" } }), []],
	])("%j", (schema, expected) => {
		expect(causes(schema)).toEqual(expected);
	});
});

describe("rules", () => {
	const rule = (more: object) =>
		object(
			{ a: { type: "object", additionalProperties: text } },
			{ "x-kubernetes-validations": [{ rule: "true", ...more }] },
		);
	const at = "s.x-kubernetes-validations[0]";
	test.each<[object, string[]]>([
		[{}, []],
		[{ rule: " " }, [`${at}.rule: Required value: rule is not specified`]],
		[{ message: " " }, [`${at}.message: Invalid value: " ": must be non-empty if specified`]],
		[{ message: "a\nb" }, [`${at}.message: Invalid value: "a\\nb": must not contain line breaks`]],
		[
			{ rule: "true &&\ntrue" },
			[`${at}.message: Required value: message must be specified if rule contains line breaks`],
		],
		[
			{ messageExpression: " " },
			[`${at}.messageExpression: Required value: messageExpression must be non-empty if specified`],
		],
		[
			{ reason: "Odd" },
			[
				`${at}.reason: Unsupported value: "Odd": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"`,
			],
		],
		[{ fieldPath: ".b" }, [`${at}.fieldPath: Invalid value: ".b": must be a valid path`]],
		[{ fieldPath: "a" }, [`${at}.fieldPath: Invalid value: "a": must be a valid path`]],
		[{ fieldPath: ".a['x.y']" }, []],
		[{ fieldPath: ".a.b" }, []],
		[{ fieldPath: ".a.b.c" }, [`${at}.fieldPath: Invalid value: ".a.b.c": must be a valid path`]],
	])("%j", (more, expected) => {
		expect(causes(rule(more))).toEqual(expected);
	});
});

test("with a status of its own, the root restricts nothing that status could miss", () => {
	const why =
		"only [Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations] fields are allowed at the root of the schema if the status subresource is enabled";
	const schema = object({ status: text }, { oneOf: [{ required: ["status"] }] });
	expect(causes(schema, true)).toEqual([`s: Invalid value: ${JSON.stringify(schema)}: ${why}`]);
	expect(causes(schema)).toEqual([]);
	expect(causes(object({ status: text }, { required: ["status"], description: "d" }), true)).toEqual([]);
});

test("a schema that contains itself, or goes very deep, is refused at once", () => {
	const cyclic: SchemaProps = object({});
	cyclic.properties = { again: cyclic };
	expect(causes(cyclic)).toEqual(['s: Invalid value: "": must not be nested more than 500 levels deep']);
	let deep: SchemaProps = text;
	for (let level = 0; level < 1_000; level++) deep = x(deep);
	expect(causes(deep)).toEqual(['s: Invalid value: "": must not be nested more than 500 levels deep']);
});
