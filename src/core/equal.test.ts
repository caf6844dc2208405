import { describe, expect, test } from "vitest";
import { sameFields, sameJson, sameQuantities, semanticEqual } from "./equal.ts";

describe.each([
	["sameJson", sameJson],
	["semanticEqual", semanticEqual],
])("%s", (_name, same) => {
	test("leaves the order of fields out, not that of items", () => {
		expect(same({ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 })).toBe(true);
		expect(same({ a: [1, 2] }, { a: [2, 1] })).toBe(false);
	});

	test("takes an undefined field for none, and an empty object for a value", () => {
		expect(same({ a: undefined, b: 1 }, { b: 1 })).toBe(true);
		expect(same({ emptyDir: {} }, {})).toBe(false);
		expect(same({ a: 1 }, { a: 1, b: 1 })).toBe(false);
		expect(same({ 0: 1 }, [1])).toBe(false);
	});

	test("compares own fields, also those with names that every object inherits", () => {
		expect(same({ constructor: {} }, { other: {} })).toBe(false);
		expect(same(JSON.parse('{"__proto__": {}}'), {})).toBe(false);
		expect(same(JSON.parse('{"__proto__": {"a": 1}}'), JSON.parse('{"__proto__": {"a": 1}}'))).toBe(true);
	});
});

test("only to semanticEqual nulls and empty lists are nothing", () => {
	const [full, bare] = [{ args: [], reason: null, state: { at: null } }, { state: {} }];
	expect(sameJson(full, bare)).toBe(false);
	expect(semanticEqual(full, bare)).toBe(true);
	expect(semanticEqual([], undefined)).toBe(true);
	expect(semanticEqual([null], [])).toBe(false);
	expect(semanticEqual({ count: 0, text: "" }, {})).toBe(false);
});

test("sameFields leaves out the fields that it is told to", () => {
	expect(sameFields({ a: 1, b: 1 }, { a: 1, b: 2, c: 1 }, new Set(["b", "c"]))).toBe(true);
	expect(sameFields({ a: 1 }, { a: 2 }, new Set(["b"]))).toBe(false);
});

test("sameQuantities compares values, however they are written", () => {
	expect(sameQuantities({ memory: "1024Ki", cpu: "0.5" }, { cpu: "500m", memory: "1Mi" })).toBe(true);
	expect(sameQuantities({ cpu: "1" }, { memory: "1" })).toBe(false);
	expect(sameQuantities({ cpu: "1" }, undefined)).toBe(false);
});
