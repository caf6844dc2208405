import { describe, expect, test } from "vitest";
import { checkValue } from "./check.ts";
import { SchemaNode } from "./schema-node.ts";
import type { SchemaProps } from "./schema-props.ts";

function check(schema: SchemaProps, value: unknown, old?: unknown): string[] {
	const root: SchemaProps = { type: "object", properties: { x: schema } };
	const before = old === undefined ? {} : { old: { x: old } };
	return texts(checkValue(new SchemaNode(root), { x: value }, before));
}

function texts(causes: readonly { field?: string; message: string }[]): string[] {
	return causes.map(({ field, message }) => `${field}: ${message}`);
}

const fields = (properties: Record<string, SchemaProps>, more: SchemaProps = {}): SchemaProps => ({
	type: "object",
	properties,
	...more,
});
const integer: SchemaProps = { type: "integer" };
const number: SchemaProps = { type: "number" };
const text: SchemaProps = { type: "string" };

describe("types", () => {
	test.each<[SchemaProps, unknown]>([
		[text, ""],
		[integer, 3],
		[integer, -(2 ** 53)],
		[number, 1.5],
		[number, 3],
		[{ type: "boolean" }, false],
		[{ type: "array", items: text }, []],
		[{ type: "object" }, {}],
		[{ "x-kubernetes-int-or-string": true }, 5],
		[{ "x-kubernetes-int-or-string": true }, "50%"],
		[{ "x-kubernetes-preserve-unknown-fields": true }, [1, "a", null]],
		[{ type: "string", nullable: true }, null],
	])("%j accepts %j", (schema, value) => {
		expect(check(schema, value)).toEqual([]);
	});

	test.each<[SchemaProps, unknown, string]>([
		[integer, "5", 'x: Invalid value: "string": x in body must be of type integer: "string"'],
		[text, 5, 'x: Invalid value: "integer": x in body must be of type string: "integer"'],
		[text, 1.5, 'x: Invalid value: "number": x in body must be of type string: "number"'],
		[text, null, 'x: Invalid value: "null": x in body must be of type string: "null"'],
		[text, true, 'x: Invalid value: "boolean": x in body must be of type string: "boolean"'],
		[{ type: "object" }, [], 'x: Invalid value: "array": x in body must be of type object: "array"'],
		[{ type: "array", items: text }, {}, 'x: Invalid value: "object": x in body must be of type array: "object"'],
		[{ type: "boolean" }, "true", 'x: Invalid value: "string": x in body must be of type boolean: "string"'],
		[
			{ "x-kubernetes-int-or-string": true },
			true,
			'x: Invalid value: "boolean": x in body must be of type integer,string: "boolean"',
		],
		[{ type: "string", format: "date" }, 5, 'x: Invalid value: "int64": x in body must be of type date: "int64"'],
		[{ type: "string", format: "date" }, {}, 'x: Invalid value: "": x in body must be of type date: ""'],
		[{ type: "integer", format: "int32" }, true, 'x: Invalid value: "": x in body must be of type int32: ""'],
		[
			{ type: "integer", format: "int32" },
			"5",
			'x: Invalid value: "string": x in body must be of type integer: "string"',
		],
	])("%j refuses %j", (schema, value, message) => {
		expect(check(schema, value)).toEqual([message]);
	});

	test("a fraction is no integer, and not in the range of one", () => {
		expect(check(integer, 1.5)).toEqual([
			'x: Invalid value: "number": x in body must be of type integer: "number"',
			'<nil>: Invalid value: "": Checked value must be of type integer (default format) in x',
		]);
	});

	test("the reason of a wrong type is its own", () => {
		const [cause] = checkValue(new SchemaNode(text), 5);
		expect(cause?.reason).toBe("FieldValueTypeInvalid");
	});
});

describe("keywords", () => {
	test.each<[SchemaProps, unknown, string | undefined]>([
		[{ ...integer, minimum: 1 }, 1, undefined],
		[{ ...integer, minimum: 1 }, 0, "x: Invalid value: 0: x in body should be greater than or equal to 1"],
		[{ ...integer, minimum: 1, exclusiveMinimum: true }, 1, "x: Invalid value: 1: x in body should be greater than 1"],
		[{ ...integer, maximum: 9 }, 10, "x: Invalid value: 10: x in body should be less than or equal to 9"],
		[{ ...integer, maximum: 9, exclusiveMaximum: true }, 9, "x: Invalid value: 9: x in body should be less than 9"],
		[
			{ ...integer, maximum: 2000000 },
			3000000,
			"x: Invalid value: 3000000: x in body should be less than or equal to 2000000",
		],
		[
			{ ...number, maximum: 2000000 },
			2000000.5,
			"x: Invalid value: 2.0000005e+06: x in body should be less than or equal to 2e+06",
		],
		[{ ...number, minimum: 0.5 }, 0, undefined],
		[{ ...number, minimum: 0.5 }, 0.25, "x: Invalid value: 0.25: x in body should be greater than or equal to 0.5"],
		[{ ...integer, multipleOf: 5 }, 12, "x: Invalid value: 12: x in body should be a multiple of 5"],
		[{ ...number, multipleOf: 0.25 }, 1.5, undefined],
		[{ ...number, multipleOf: 0.25 }, 1.3, "x: Invalid value: 1.3: x in body should be a multiple of 0.25"],
		[{ ...number, multipleOf: 0.25 }, 1, "x: Invalid value: 0: factor MultipleOf declared for x must be positive: 0"],
		[
			{ ...integer, format: "int32" },
			2 ** 31,
			'<nil>: Invalid value: "": Checked value must be of type integer with format int32 in x',
		],
		[{ ...integer, format: "int64" }, 2 ** 31, undefined],
		[
			{ ...number, format: "float" },
			1e39,
			'<nil>: Invalid value: "": Checked value must be of type number with format float in x',
		],
		[{ ...text, maxLength: 3 }, "äöü", undefined],
		[{ ...text, maxLength: 2 }, "😀😀", undefined],
		[{ ...text, maxLength: 2 }, "abc", "x: Too long: may not be more than 2 bytes"],
		[{ ...text, maxLength: 1 }, "abc", "x: Too long: may not be more than 1 byte"],
		[{ ...text, minLength: 2 }, "😀", 'x: Invalid value: "😀": x in body should be at least 2 chars long'],
		[{ ...text, minLength: 2 }, "ab", undefined],
		[{ ...text, pattern: "^a+$" }, "aaa", undefined],
		[{ ...text, pattern: "^a+$" }, "ab", "x: Invalid value: \"ab\": x in body should match '^a+$'"],
		[{ ...text, pattern: "(?i)^A" }, "abc", undefined],
		[{ ...text, enum: ["a", "b"] }, "b", undefined],
		[{ ...text, enum: ["a", "b"] }, "c", 'x: Unsupported value: "c": supported values: "a", "b"'],
		[{ ...integer, enum: [1, 2] }, 3, 'x: Unsupported value: 3: supported values: "1", "2"'],
		[{ ...text, nullable: true, enum: ["a"] }, null, 'x: Unsupported value: "null": supported values: "a"'],
		[
			{ type: "object", "x-kubernetes-preserve-unknown-fields": true, enum: [{ a: 1, b: 2 }] },
			{ b: 2, a: 1 },
			undefined,
		],
		[{ type: "array", items: text, minItems: 1 }, [], "x: Invalid value: 0: x in body should have at least 1 items"],
		[{ type: "array", items: text, maxItems: 1 }, ["a", "b"], "x: Too many: 2: must have at most 1 item"],
		[
			{ type: "array", items: integer },
			[1, "a"],
			'x[1]: Invalid value: "string": x[1] in body must be of type integer: "string"',
		],
		[fields({ a: text }, { required: ["a"] }), {}, "x.a: Required value"],
		[fields({ a: { ...text, nullable: true } }, { required: ["a"] }), { a: null }, undefined],
		[
			{ type: "object", additionalProperties: text, maxProperties: 1 },
			{ a: "", b: "" },
			"x: Too many: 2: must have at most 1 item",
		],
		[
			{ type: "object", additionalProperties: text, minProperties: 2 },
			{ a: "" },
			"x: Invalid value: 1: x in body should have at least 2 properties",
		],
		[
			{ type: "object", additionalProperties: integer },
			{ a: "b" },
			'x.a: Invalid value: "string": x.a in body must be of type integer: "string"',
		],
		[
			{ type: "object", additionalProperties: false },
			{ a: 1 },
			'x: Invalid value: "a": x.a in body is a forbidden property',
		],
	])("%j of %j: %s", (schema, value, message) => {
		expect(check(schema, value)).toEqual(message === undefined ? [] : [message]);
	});

	test("what is undefined is no field", () => {
		const node = new SchemaNode(fields({ a: text }, { required: ["a"], maxProperties: 0 }));
		expect(texts(checkValue(node, { a: undefined }))).toEqual(["a: Required value"]);
	});

	test("a bound that is no integer refuses every integer, as upstream", () => {
		expect(check({ ...integer, maximum: 1.5 }, 1)).toEqual([
			'<nil>: Invalid value: "": Maximum boundary value must be of type integer (default format) in x',
		]);
	});
});

describe("several schemas", () => {
	const has = (name: string): SchemaProps => ({ required: [name] });
	const object: SchemaProps = fields({ a: text, b: text });
	test.each<[string, SchemaProps, unknown, string[]]>([
		["anyOf: one holds", { ...object, anyOf: [has("a"), has("b")] }, { b: "" }, []],
		[
			"anyOf: none holds",
			{ ...object, anyOf: [has("a"), has("b")] },
			{},
			['<nil>: Invalid value: "": "x" must validate at least one schema (anyOf)', "x.a: Required value"],
		],
		["oneOf: one holds", { ...object, oneOf: [has("a"), has("b")] }, { b: "" }, []],
		[
			"oneOf: none holds",
			{ ...object, oneOf: [has("a"), has("b")] },
			{},
			[
				'<nil>: Invalid value: "": "x" must validate one and only one schema (oneOf). Found none valid',
				"x.a: Required value",
			],
		],
		[
			"oneOf: both hold",
			{ ...object, oneOf: [has("a"), has("b")] },
			{ a: "", b: "" },
			['<nil>: Invalid value: "": "x" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
		],
		[
			"allOf: one does not hold",
			{ ...object, allOf: [has("a"), has("b")] },
			{ a: "" },
			["x.b: Required value", '<nil>: Invalid value: "": "x" must validate all the schemas (allOf)'],
		],
		[
			"allOf: none holds",
			{ ...object, allOf: [has("a"), has("b")] },
			{},
			[
				"x.a: Required value",
				"x.b: Required value",
				'<nil>: Invalid value: "": "x" must validate all the schemas (allOf). None validated',
			],
		],
		["not: it does not hold", { ...object, not: has("a") }, {}, []],
		[
			"not: it holds",
			{ ...object, not: has("a") },
			{ a: "" },
			['<nil>: Invalid value: "": "x" must not validate the schema (not)'],
		],
		[
			"int-or-string with a range",
			{ "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }], pattern: "^[0-9]+%$" },
			"5",
			["x: Invalid value: \"5\": x in body should match '^[0-9]+%$'"],
		],
		[
			"the nearest of those that do not hold is told",
			{
				...object,
				anyOf: [
					{ properties: { a: { pattern: "^x" } }, required: ["b"] },
					{ properties: { a: { minLength: 1 } }, required: ["b"] },
				],
			},
			{ a: "y" },
			[
				'<nil>: Invalid value: "": "x" must validate at least one schema (anyOf)',
				"x.a: Invalid value: \"y\": x.a in body should match '^x'",
				"x.b: Required value",
			],
		],
		[
			"what several find is told once",
			{ ...object, required: ["a"], allOf: [has("a")] },
			{},
			['<nil>: Invalid value: "": "x" must validate all the schemas (allOf). None validated', "x.a: Required value"],
		],
		[
			"schemas in each other",
			{ ...object, oneOf: [{ not: { anyOf: [has("a"), has("b")] } }, { allOf: [has("a"), has("b")] }] },
			{ a: "", b: "" },
			[],
		],
	])("%s", (_, schema, value, expected) => {
		expect(check(schema, value).sort()).toEqual([...expected].sort());
	});
});

describe("an update", () => {
	const short: SchemaProps = { ...text, maxLength: 1 };
	const keyed: SchemaProps = {
		type: "array",
		"x-kubernetes-list-type": "map",
		"x-kubernetes-list-map-keys": ["name"],
		items: fields({ name: text, value: short }),
	};
	const isKept = (schema: SchemaProps, value: unknown, old: unknown) => check(schema, value, old).length === 0;
	test.each<[string, boolean, SchemaProps, unknown, unknown]>([
		[
			"a value that has not changed may be wrong",
			true,
			fields({ a: short, b: text }),
			{ a: "long", b: "2" },
			{ a: "long", b: "1" },
		],
		["a value that has changed may not", false, fields({ a: short }), { a: "longer" }, { a: "long" }],
		["a new value may not", false, fields({ a: short }), { a: "long" }, {}],
		[
			"a missing field was missing before",
			true,
			fields({ a: fields({ b: text }, { required: ["c"] }), d: text }),
			{ a: {}, d: "1" },
			{ a: {}, d: "2" },
		],
		[
			"an item of a keyed list may be wrong where it was",
			true,
			keyed,
			[
				{ name: "b", value: "1" },
				{ name: "a", value: "long" },
			],
			[{ name: "a", value: "long" }],
		],
		["an item under another key may not", false, keyed, [{ name: "b", value: "long" }], [{ name: "a", value: "long" }]],
		[
			"items of other lists cannot be told from each other",
			false,
			{ type: "array", items: short },
			["long", "x"],
			["long"],
		],
		[
			"a list that is the same may be wrong",
			true,
			fields({ a: { type: "array", items: short }, b: text }),
			{ a: ["long"], b: "1" },
			{ a: ["long"], b: "2" },
		],
		[
			"values of maps are told by their keys",
			true,
			{ type: "object", additionalProperties: short },
			{ a: "long", b: "x" },
			{ a: "long" },
		],
		[
			"what several schemas say is not let through",
			false,
			fields({ a: text }, { allOf: [{ properties: { a: { maxLength: 1 } } }] }),
			{ a: "long", b: 1 },
			{ a: "long" },
		],
		[
			"an object with fields of no schema is never the same",
			false,
			fields({ a: fields({}, { "x-kubernetes-preserve-unknown-fields": true, required: ["b"] }), c: text }),
			{ a: { z: 1 }, c: "1" },
			{ a: { z: 1 }, c: "2" },
		],
	])("%s", (_, expected, schema, value, old) => {
		expect(isKept(schema, value, old)).toBe(expected);
	});

	test("status is named in paths, and not in the words", () => {
		const node = new SchemaNode(fields({ size: integer }));
		expect(texts(checkValue(node, { size: "a" }, { base: "status" }))).toEqual([
			'status.size: Invalid value: "string": size in body must be of type integer: "string"',
		]);
	});
});
