/** Schemas and objects that are meant to take forever: each is refused, or takes as long as its size. */
import { expect, test } from "vitest";
import { checkValue } from "./schema/check.ts";
import { schemaCauses } from "./schema/definition/schema-causes.ts";
import { SchemaNode } from "./schema/schema-node.ts";
import type { SchemaProps } from "./schema/schema-props.ts";
import { takeObject } from "./schema/take.ts";

const text: SchemaProps = { type: "string" };
const defined = (schema: SchemaProps) => schemaCauses(schema, { path: "s", hasStatus: false });

function object(properties: Record<string, SchemaProps>, more: SchemaProps = {}): SchemaProps {
	return { type: "object", properties, ...more };
}

test("patterns match in linear time, whatever their form", () => {
	for (const pattern of ["^(a+)+$", "(a|aa)+$", "(.*)*x", "^(([a-z])+.)+[A-Z]([a-z])+$"]) {
		const schema = object({ x: { ...text, pattern } });
		expect(defined(schema)).toEqual([]);
		expect(checkValue(new SchemaNode(schema), { x: `${"a".repeat(50_000)}!` }), pattern).toHaveLength(1);
	}
});

test("patterns that grow beyond measure are refused", () => {
	const [cause] = defined(object({ x: { ...text, pattern: "((a{100}){100}){100}" } }));
	expect(cause?.message).toContain("must be a valid regular expression, but isn't");
	const nested = `${"(".repeat(2_000)}a${")".repeat(2_000)}`;
	expect(defined(object({ x: { ...text, pattern: nested } }))[0]?.message).toContain("expression nests too deeply");
});

test("a schema of megabytes costs an object only what it uses of it", () => {
	const properties: Record<string, SchemaProps> = {};
	for (let index = 0; index < 30_000; index++)
		properties[`field${index}`] = { ...text, description: "A field with a description of its own, as they have it." };
	const schema = object({ spec: object(properties) });
	expect(JSON.stringify(schema).length).toBeGreaterThan(3_000_000);
	expect(defined(schema)).toEqual([]);
	const node = new SchemaNode(schema);
	const { value, unknownFields } = takeObject({ spec: { field29999: "x", other: 1 } }, node);
	expect(value).toEqual({ spec: { field29999: "x" } });
	expect(unknownFields).toEqual(["spec.other"]);
	expect(checkValue(node, value)).toEqual([]);
});

test("many schemas of many values are given up", () => {
	const never: SchemaProps = { minLength: 5 };
	const schema = object({
		x: { type: "array", items: { ...text, anyOf: Array.from({ length: 5_000 }, () => never) } },
	});
	const causes = checkValue(new SchemaNode(schema), { x: Array.from({ length: 5_000 }, () => "a") });
	expect(causes.map(({ message }) => message)).toEqual([
		'Invalid value: "": the schema is too complex to validate an object of this size',
	]);
});

test("schemas in each other are tried as often as there are schemas", () => {
	let nested: SchemaProps = { minLength: 5 };
	for (let level = 0; level < 200; level++) nested = { anyOf: [nested, { not: { minLength: 1 } }] };
	const causes = checkValue(new SchemaNode(object({ x: { ...text, ...nested } })), { x: "a" });
	expect(causes.map(({ message }) => message)).toContain(
		'Invalid value: "": "x" must validate at least one schema (anyOf)',
	);
});

test("of a hundred thousand mistakes and unknown fields some are told", () => {
	const fields = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`f${index}`, index]));
	const map: SchemaProps = { type: "object", additionalProperties: text };
	expect(checkValue(new SchemaNode(object({ x: map })), { x: fields })).toHaveLength(1_000);
	expect(takeObject({ x: fields }, new SchemaNode(object({ x: object({}) }))).unknownFields).toHaveLength(100);
});

test("names that every object inherits are names like others", () => {
	const schema: SchemaProps = object(
		JSON.parse('{"constructor": {"type": "string"}, "toString": {"type": "integer"}}'),
		{
			required: ["hasOwnProperty"],
		},
	);
	const causes = checkValue(new SchemaNode(schema), JSON.parse('{"constructor": 5}'));
	expect(causes.map(({ field }) => field)).toEqual(["constructor", "hasOwnProperty"]);
});

test("defaults that make much of little are refused", () => {
	const numbers: SchemaProps = { type: "array", items: { type: "integer" }, default: Array(2_000).fill(1) };
	const long: SchemaProps = { ...text, default: "x".repeat(100_000) };
	for (const [field, message] of [
		[numbers, "limit is 100000 values"],
		[long, "limit is 3145728"],
	] as const) {
		const schema = object({ list: { type: "array", items: object({ field }) } });
		expect(defined(schema)).toEqual([]);
		const node = new SchemaNode(schema);
		expect(() => takeObject({ list: Array.from({ length: 2_000 }, () => ({})) }, node)).toThrow(message);
		expect(takeObject({ list: [{}] }, node).value).toEqual({ list: [{ field: field.default }] });
	}
});

test("many values are looked up in a long enumeration, not compared with all of it", () => {
	const texts = Array.from({ length: 2_000 }, (_, index) => `v${index}`);
	const objects = texts.map((name) => ({ name }));
	let compared = 0;
	// Each value that is compared is read.
	const watched = new Proxy(texts, {
		get(list, key) {
			if (/^\d+$/.test(String(key))) compared++;
			return Reflect.get(list, key);
		},
	});
	const schema = object({ x: { type: "array", items: { ...text, enum: watched } } });
	const x = Array.from({ length: 2_000 }, () => "v1999");
	expect(checkValue(new SchemaNode(schema), { x })).toEqual([]);
	expect(compared).toBeLessThan(8_000);
	const ofObjects = object({ x: { type: "array", items: { type: "object", enum: objects } } });
	const causes = checkValue(new SchemaNode(ofObjects), { x: x.map(() => ({ name: "none" })) });
	expect(causes.map(({ message }) => message)).toEqual([
		'Invalid value: "": the schema is too complex to validate an object of this size',
	]);
});
