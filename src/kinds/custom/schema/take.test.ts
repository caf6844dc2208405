import { describe, expect, test } from "vitest";
import { SchemaNode } from "./schema-node.ts";
import type { SchemaProps } from "./schema-props.ts";
import { takeObject } from "./take.ts";

function object(properties: Record<string, SchemaProps>, more: SchemaProps = {}): SchemaProps {
	return { type: "object", properties, ...more };
}

const text: SchemaProps = { type: "string" };
const anything = { "x-kubernetes-preserve-unknown-fields": true } as const;
const embedded = { "x-kubernetes-embedded-resource": true } as const;

function take(spec: SchemaProps, value: unknown) {
	return takeAll(object({ spec }), { spec: value });
}

function takeAll(root: SchemaProps, value: Record<string, unknown>, partial = false) {
	const { value: taken, unknownFields, problems } = takeObject(value, new SchemaNode(root), { partial });
	return { taken, unknownFields, problems: problems.map(({ message }) => message) };
}

describe("fields that the schema lacks", () => {
	test.each<[string, SchemaProps, unknown, unknown, string[]]>([
		["go", object({ a: text }), { a: "1", b: "2" }, { a: "1" }, ["spec.b"]],
		[
			"go from items of lists",
			{ type: "array", items: object({ a: text }) },
			[{ a: "1", b: "2" }],
			[{ a: "1" }],
			["spec[0].b"],
		],
		[
			"go from values of maps",
			{ type: "object", additionalProperties: object({}) },
			{ k: { b: 1 } },
			{ k: {} },
			["spec.k.b"],
		],
		["go from an object without fields", { type: "object" }, { a: { b: 1 } }, {}, ["spec.a"]],
		[
			"go where other keys are allowed, but have no schema",
			{ type: "object", additionalProperties: true },
			{ a: { b: 1 }, c: 2 },
			{ a: {}, c: 2 },
			["spec.a.b"],
		],
		[
			"stay where unknown fields are preserved",
			object({ a: text }, anything),
			{ a: "1", b: { c: null } },
			{ a: "1", b: { c: null } },
			[],
		],
		[
			"stay in items of a preserved list",
			{ type: "array", ...anything, items: object({ a: text }) },
			[{ a: "1", b: 2 }],
			[{ a: "1", b: 2 }],
			[],
		],
		[
			"go again from a field with a schema inside",
			object({ a: object({ b: text }) }, anything),
			{ a: { x: 1 }, y: 2 },
			{ a: {}, y: 2 },
			["spec.a.x"],
		],
		[
			"go whatever they are called",
			object({}),
			JSON.parse('{"__proto__": 1, "constructor": 2}'),
			{},
			["spec.__proto__", "spec.constructor"],
		],
		["go, but not from what is no object", object({ a: text }), "text", "text", []],
	])("%s", (_, schema, value, expected, unknown) => {
		const { taken, unknownFields } = take(schema, value);
		expect(taken["spec"]).toEqual(expected);
		expect(unknownFields).toEqual(unknown);
	});

	test("are told in order, as paths, with those of the metadata", () => {
		const sent = { z: 1, a: 1, metadata: { name: "x", labls: {} }, kind: "Foo", apiVersion: "example.com/v1" };
		const { taken, unknownFields } = takeAll(object({}), sent);
		expect(unknownFields).toEqual(["a", "metadata.labls", "z"]);
		expect(taken).toEqual({ metadata: { name: "x" }, kind: "Foo", apiVersion: "example.com/v1" });
	});

	test("a field called __proto__ that the schema names is a field like any other", () => {
		const schema: SchemaProps = { type: "object", properties: JSON.parse('{"__proto__": {"type": "string"}}') };
		const { taken } = take(schema, JSON.parse('{"__proto__": "x"}'));
		expect(JSON.stringify(taken["spec"])).toBe('{"__proto__":"x"}');
	});
});

describe("nulls and defaults", () => {
	const withDefault: SchemaProps = { type: "string", default: "d" };
	test.each<[string, SchemaProps, unknown, unknown]>([
		["a missing field gets its default", object({ a: withDefault }), {}, { a: "d" }],
		["a null that may not be is no value", object({ a: text }), { a: null }, {}],
		["a null that may be stays", object({ a: { ...text, nullable: true } }), { a: null }, { a: null }],
		["a null that may not be gives way to the default", object({ a: withDefault }), { a: null }, { a: "d" }],
		[
			"a null that may be is no missing field",
			object({ a: { ...withDefault, nullable: true } }),
			{ a: null },
			{ a: null },
		],
		["a null in a list stays", { type: "array", items: text }, [null], [null]],
		["a null in a list gives way to the default", { type: "array", items: withDefault }, [null, "x"], ["d", "x"]],
		[
			"a null in a map gives way to the default",
			{ type: "object", additionalProperties: withDefault },
			{ a: null },
			{ a: "d" },
		],
		["a null in a map goes", { type: "object", additionalProperties: text }, { a: null }, {}],
		["a field of no schema may be null", object({}, anything), { a: null }, { a: null }],
		[
			"a default has the defaults of its fields",
			object({ a: object({ b: withDefault }, { default: {} }) }),
			{},
			{ a: { b: "d" } },
		],
		["an object that is missing has no fields to get defaults", object({ a: object({ b: withDefault }) }), {}, {}],
		[
			"an empty list stays, and so do an empty object and text",
			object({ a: { type: "array", items: text }, b: object({}), c: text }),
			{ a: [], b: {}, c: "" },
			{ a: [], b: {}, c: "" },
		],
		[
			"a default may be false, zero or empty",
			object({
				a: { type: "boolean", default: false },
				b: { type: "integer", default: 0 },
				c: { type: "string", default: "" },
			}),
			{},
			{ a: false, b: 0, c: "" },
		],
	])("%s", (_, schema, value, expected) => {
		expect(take(schema, value).taken["spec"]).toEqual(expected);
	});

	test("each object has defaults of its own", () => {
		const node = new SchemaNode(
			object({ spec: object({ list: { type: "array", items: text, default: ["a"] } }, { default: {} }) }),
		);
		const first = takeObject({}, node).value as { spec: { list: string[] } };
		first.spec.list.push("b");
		expect(takeObject({}, node).value).toEqual({ spec: { list: ["a"] } });
	});

	test("nothing is filled in where only part of an object is meant", () => {
		expect(takeAll(object({ a: withDefault, b: text }), { b: null }, true).taken).toEqual({ b: null });
	});

	test("what was sent is not changed", () => {
		const sent = Object.freeze({ spec: Object.freeze({ list: Object.freeze([Object.freeze({ a: 1 })]) }) });
		const { taken } = takeAll(object({ spec: { type: "object", ...anything } }), sent);
		expect(taken).toEqual(sent);
		expect((taken["spec"] as { list: unknown[] }).list[0]).not.toBe(sent.spec.list[0]);
	});
});

describe("metadata", () => {
	test("of a wrong type is refused as of every object", () => {
		const { problems } = takeAll(object({}), { metadata: { labels: "a" } });
		expect(problems).toEqual([
			"json: cannot unmarshal string into Go struct field ObjectMeta.labels of type map[string]string",
		]);
	});

	test("of an embedded object is taken as that of every object", () => {
		const sent = {
			apiVersion: "v1",
			kind: "Pod",
			metadata: { name: "x", creationTimestamp: null, zone: "eu" },
			spec: { a: 1 },
		};
		const { taken, unknownFields } = take({ type: "object", ...embedded, ...anything }, sent);
		expect(taken["spec"]).toEqual({ apiVersion: "v1", kind: "Pod", metadata: { name: "x" }, spec: { a: 1 } });
		expect(unknownFields).toEqual(["spec.metadata.zone"]);
	});

	test.each<[object, string]>([
		[{ apiVersion: 5 }, "spec.apiVersion: Invalid value: 5: must be a string"],
		[
			{ metadata: { name: {} } },
			'spec.metadata: Invalid value: {"name":{}}: json: cannot unmarshal object into Go struct field ObjectMeta.name of type string',
		],
	])("an embedded object %j is refused", (value, problem) => {
		expect(take({ type: "object", ...embedded, ...anything }, value).problems).toEqual([problem]);
	});
});
