import { describe, expect, test } from "vitest";
import { SchemaNode } from "../schema/schema-node.ts";
import type { SchemaProps, ValidationRule } from "../schema/schema-props.ts";
import { blockedRules, ruleCauses, rulesOf } from "./check-rules.ts";
import { ruleDefinitionCauses } from "./definition-causes.ts";

const text: SchemaProps = { type: "string" };
const integer: SchemaProps = { type: "integer" };

function object(properties: Record<string, SchemaProps>, more: SchemaProps = {}): SchemaProps {
	return { type: "object", properties, ...more };
}

function ruled(schema: SchemaProps, ...rules: (string | ValidationRule)[]): SchemaProps {
	return { ...schema, "x-kubernetes-validations": rules.map((rule) => (typeof rule === "string" ? { rule } : rule)) };
}

function texts(causes: readonly { field?: string; message: string }[]): string[] {
	return causes.map(({ field, message }) => `${field}: ${message}`);
}

function check(schema: SchemaProps, value: object, old?: object): string[] {
	return texts(ruleCauses(rulesOf(schema), new SchemaNode(schema), value, { old }));
}

function define(schema: SchemaProps): string[] {
	return texts(ruleDefinitionCauses(schema, "s"));
}

describe("a rule that does not hold", () => {
	const spec = (rule: string | ValidationRule, more: SchemaProps = {}) =>
		object({ spec: ruled(object({ a: integer, b: integer, names: { type: "array", items: text } }, more), rule) });
	const value = { spec: { a: 2, b: 1, names: ["x"] } };
	test.each<[string | ValidationRule, string[]]>([
		["self.a >= self.b", []],
		["self.a < self.b", ["spec: Invalid value: failed rule: self.a < self.b"]],
		[{ rule: "self.a < self.b", message: " a is too large " }, ["spec: Invalid value: a is too large"]],
		[{ rule: "self.a < self.b", messageExpression: "'a is ' + string(self.a)" }, ["spec: Invalid value: a is 2"]],
		[{ rule: "self.a < self.b", message: "m", messageExpression: "''" }, ["spec: Invalid value: m"]],
		[{ rule: "self.a < self.b", message: "m", messageExpression: "'a\\nb'" }, ["spec: Invalid value: m"]],
		[{ rule: "false", message: "m", fieldPath: ".names" }, ["spec.names: Invalid value: m"]],
		[{ rule: "false", message: "m", reason: "FieldValueRequired" }, ["spec: Required value: m"]],
		[{ rule: "false", message: "m", reason: "FieldValueForbidden" }, ["spec: Forbidden: m"]],
		[{ rule: "false", message: "m", reason: "FieldValueDuplicate" }, ["spec: Duplicate value"]],
		[
			"self.names[3] == 'x'",
			["spec: Invalid value: \"object\": index out of bounds: 3 evaluating rule: self.names[3] == 'x'"],
		],
	])("%j", (rule, expected) => {
		expect(check(spec(rule), value)).toEqual(expected);
	});

	test("takes lists that are sets or maps as equal in any order", () => {
		const names: SchemaProps = { type: "array", items: text, "x-kubernetes-list-type": "set" };
		const schema = object({ spec: ruled(object({ names }), "self == oldSelf", "self.names == ['a', 'b']") });
		expect(check(schema, { spec: { names: ["b", "a"] } }, { spec: { names: ["a", "b"] } })).toEqual([]);
		expect(check(schema, { spec: { names: ["b", "c"] } }, { spec: { names: ["a", "b"] } })).toHaveLength(2);
	});

	test("of a scalar shows the value, and of items and values of maps where they are", () => {
		const schema = object({
			list: { type: "array", items: ruled(integer, "self > 1") },
			map: { type: "object", additionalProperties: ruled(text, "self != 'x'") },
		});
		expect(check(schema, { list: [2, 1], map: { a: "y", "b.c": "x" } })).toEqual([
			"list[1]: Invalid value: 1: failed rule: self > 1",
			"map[b.c]: Invalid value: \"x\": failed rule: self != 'x'",
		]);
	});

	test("of the whole object knows its name", () => {
		const schema = ruled(object({}), "self.metadata.name.startsWith('a') && self.kind == 'Foo'");
		expect(check(schema, { kind: "Foo", metadata: { name: "abc" } })).toEqual([]);
		expect(check(schema, { kind: "Foo", metadata: { name: "bcd" } })).toHaveLength(1);
	});

	test("of a null or a missing value says nothing", () => {
		const schema = object({ a: ruled({ ...text, nullable: true }, "false") });
		expect(check(schema, { a: null })).toEqual([]);
		expect(check(schema, {})).toEqual([]);
	});
});

describe("an update", () => {
	const immutable = object({ a: ruled(text, "self == oldSelf"), b: text });
	test("is compared with the old value", () => {
		expect(check(immutable, { a: "1" })).toEqual([]);
		expect(check(immutable, { a: "1" }, { a: "1" })).toEqual([]);
		expect(check(immutable, { a: "2" }, { a: "1" })).toEqual(['a: Invalid value: "2": failed rule: self == oldSelf']);
		expect(check(immutable, { a: "2" }, {})).toEqual([]);
	});

	test("a rule may ask whether there was an old value", () => {
		const rule = { rule: "oldSelf.hasValue() || self > 1", optionalOldSelf: true };
		const schema = object({ a: ruled(integer, rule) });
		expect(check(schema, { a: 1 })).toHaveLength(1);
		expect(check(schema, { a: 1 }, { a: 0 })).toEqual([]);
	});

	test("items of keyed lists are compared by their keys", () => {
		const schema = object({
			list: {
				type: "array",
				"x-kubernetes-list-type": "map",
				"x-kubernetes-list-map-keys": ["name"],
				items: ruled(object({ name: text, size: integer }), "self.size >= oldSelf.size"),
			},
		});
		const old = {
			list: [
				{ name: "a", size: 1 },
				{ name: "b", size: 5 },
			],
		};
		expect(
			check(
				schema,
				{
					list: [
						{ name: "b", size: 5 },
						{ name: "c", size: 0 },
					],
				},
				old,
			),
		).toEqual([]);
		expect(check(schema, { list: [{ name: "b", size: 4 }] }, old)).toEqual([
			"list[0]: Invalid value: failed rule: self.size >= oldSelf.size",
		]);
	});

	test("what stays as it was need not hold", () => {
		const schema = object({ a: ruled(object({ x: integer }), "self.x > 1"), b: text });
		expect(check(schema, { a: { x: 1 }, b: "2" }, { a: { x: 1 }, b: "1" })).toEqual([]);
		expect(check(schema, { a: { x: 0 }, b: "1" }, { a: { x: 1 }, b: "1" })).toHaveLength(1);
		const list = object({ a: { type: "array", items: ruled(integer, "self > 1") }, b: text });
		expect(check(list, { a: [1], b: "2" }, { a: [1], b: "1" })).toEqual([]);
		expect(check(list, { a: [1, 2], b: "1" }, { a: [1], b: "1" })).toHaveLength(1);
	});
});

test("an object that costs too much is refused, and nothing more is evaluated", () => {
	const list: SchemaProps = { type: "array", items: text };
	const slow = "self.all(x, self.all(y, self.all(z, x + y + z != 'a')))";
	const schema = object({ a: ruled(list, slow), b: ruled(text, "false") });
	const value = { a: Array.from({ length: 300 }, (_, index) => String(index)), b: "" };
	expect(check(schema, value)).toEqual([
		`a: Invalid value: "array": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: ${slow}`,
	]);
});

test("rules wait until types and sizes are right", () => {
	expect(blockedRules([{ reason: "FieldValueInvalid", message: "" }])).toBeUndefined();
	expect(blockedRules([{ reason: "FieldValueRequired", message: "" }])?.message).toBe(
		'Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
	);
});

describe("a definition", () => {
	const rule = "s.properties[a].x-kubernetes-validations[0].rule";
	const shown = (text: string) =>
		JSON.stringify({
			Rule: text,
			Message: "",
			MessageExpression: "",
			Reason: null,
			FieldPath: "",
			OptionalOldSelf: null,
		});
	const advice =
		"(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)";
	test.each<[SchemaProps, string[]]>([
		[object({ a: ruled(text, "self.startsWith('a')") }), []],
		[
			object({ a: ruled(object({ b: text }), "self.c") }),
			[
				`${rule}: Invalid value: ${shown("self.c")}: compilation failed: ERROR: <input>:1:5: undefined field 'c'\n | self.c\n | ....^`,
			],
		],
		[
			object({ a: ruled(text, "1") }),
			[`${rule}: Invalid value: ${shown("1")}: cel expression must evaluate to a bool`],
		],
		[
			object({ a: { type: "array", maxItems: 2, items: ruled({ ...text, maxLength: 5 }, "self == oldSelf") } }),
			[
				's.properties[a].items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within s.properties[a]',
			],
		],
		[
			object({ a: ruled(text, { rule: "self == ''", optionalOldSelf: true }) }),
			[
				"s.properties[a].x-kubernetes-validations[0].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule",
			],
		],
		[
			object({ a: ruled(object({ oldSelf: text }), { rule: "self.oldSelf == 'oldSelf'", optionalOldSelf: true }) }),
			[
				"s.properties[a].x-kubernetes-validations[0].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule",
			],
		],
		[
			object({ a: ruled({ type: "array", items: text }, "self.all(x, self.all(y, x == y))") }),
			[
				`${rule}: Forbidden: estimated rule cost exceeds budget by factor of more than 100x ${advice}`,
				`${rule}: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema`,
				`s: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x ${advice}`,
			],
		],
		[
			object({
				a: ruled(
					{ type: "array", items: { ...text, maxLength: 10 }, maxItems: 100 },
					"self.all(x, self.all(y, x == y))",
				),
			}),
			[],
		],
		[
			object({ a: ruled({ ...text, default: "b" }, "self == 'a'") }),
			["s.properties[a].default: Invalid value: \"b\": failed rule: self == 'a'"],
		],
		[
			object({ a: ruled({ "x-kubernetes-preserve-unknown-fields": true }, "true") }),
			[
				"s.properties[a].x-kubernetes-validations: Internal error: internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations",
			],
		],
	])("%j", (schema, expected) => {
		expect(define(schema)).toEqual(expected);
	});
});
