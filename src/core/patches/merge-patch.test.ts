import { expect, test } from "vitest";
import { applyMergePatch } from "./merge-patch.ts";

/** The cases of RFC 7386, appendix A, as [document, patch, result]. */
const cases: [unknown, unknown, unknown][] = [
	[{ a: "b" }, { a: "c" }, { a: "c" }],
	[{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
	[{ a: "b" }, { a: null }, {}],
	[{ a: "b", b: "c" }, { a: null }, { b: "c" }],
	[{ a: ["b"] }, { a: "c" }, { a: "c" }],
	[{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
	[{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
	[{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
	[
		["a", "b"],
		["c", "d"],
		["c", "d"],
	],
	[{ a: "b" }, ["c"], ["c"]],
	[{ a: "foo" }, null, null],
	[{ a: "foo" }, "bar", "bar"],
	[{ e: null }, { a: 1 }, { e: null, a: 1 }],
	[[1, 2], { a: "b", c: null }, { a: "b" }],
	[{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

test.each(cases)("%j patched with %j is %j", (document, patch, expected) => {
	const before = JSON.stringify(document);
	expect(applyMergePatch(document, patch)).toEqual(expected);
	expect(JSON.stringify(document)).toBe(before);
});

test("a patch cannot reach what all objects inherit", () => {
	applyMergePatch(
		{},
		JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}'),
	);
	expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});
