import { describe, expect, test } from "vitest";
import { ApiError } from "../errors.ts";
import { applyJsonPatch } from "./json-patch.ts";

function failure(
	document: unknown,
	operations: unknown,
): { reason: string; cause: string | undefined; message: string } {
	try {
		applyJsonPatch(document, operations);
	} catch (error) {
		if (!(error instanceof ApiError)) throw error;
		return { reason: error.reason, cause: error.details?.causes?.[0]?.message, message: error.message };
	}
	throw new Error("the patch applied");
}

describe("operations", () => {
	const cases: [string, unknown, object[], unknown][] = [
		["add sets a field", { a: 1 }, [{ op: "add", path: "/b", value: 2 }], { a: 1, b: 2 }],
		["add replaces a field", { a: 1 }, [{ op: "add", path: "/a", value: null }], { a: null }],
		["add inserts into a list", { a: [1, 3] }, [{ op: "add", path: "/a/1", value: 2 }], { a: [1, 2, 3] }],
		["add appends at the end", { a: [1] }, [{ op: "add", path: "/a/-", value: 2 }], { a: [1, 2] }],
		["add at the length appends", { a: [1] }, [{ op: "add", path: "/a/1", value: 2 }], { a: [1, 2] }],
		["add replaces the whole document", { a: 1 }, [{ op: "add", path: "", value: [1] }], [1]],
		["remove takes a field away", { a: 1, b: 2 }, [{ op: "remove", path: "/a" }], { b: 2 }],
		["remove takes an item away", { a: [1, 2] }, [{ op: "remove", path: "/a/0" }], { a: [2] }],
		["replace", { a: { b: 1 } }, [{ op: "replace", path: "/a/b", value: 2 }], { a: { b: 2 } }],
		["move", { a: 1 }, [{ op: "move", from: "/a", path: "/b" }], { b: 1 }],
		["move within a list", { a: [1, 2, 3] }, [{ op: "move", from: "/a/0", path: "/a/2" }], { a: [2, 3, 1] }],
		["copy", { a: { x: 1 } }, [{ op: "copy", from: "/a", path: "/b" }], { a: { x: 1 }, b: { x: 1 } }],
		[
			"test holds whatever the order of fields",
			{ a: { x: 1, y: 2 } },
			[{ op: "test", path: "/a", value: { y: 2, x: 1 } }],
			{ a: { x: 1, y: 2 } },
		],
		["test for null holds for what is missing", {}, [{ op: "test", path: "/a", value: null }], {}],
		[
			"escaped names",
			{ "a/b": 1, "c~d": 2 },
			[
				{ op: "remove", path: "/a~1b" },
				{ op: "remove", path: "/c~0d" },
			],
			{},
		],
		["~01 is ~1", { "~1": 1 }, [{ op: "remove", path: "/~01" }], {}],
		["names that look like numbers", { a: { "0": 1 } }, [{ op: "replace", path: "/a/0", value: 2 }], { a: { "0": 2 } }],
	];
	test.each(cases)("%s", (_, document, operations, expected) => {
		const before = JSON.stringify(document);
		expect(applyJsonPatch(document, operations)).toEqual(expected);
		expect(JSON.stringify(document)).toBe(before);
	});
});

test("what was copied can be changed alone", () => {
	const patch = [
		{ op: "copy", from: "/a", path: "/b" },
		{ op: "replace", path: "/b/x", value: 2 },
	];
	expect(applyJsonPatch({ a: { x: 1 } }, patch)).toEqual({ a: { x: 1 }, b: { x: 2 } });
});

describe("a patch that does not apply is Invalid and says why", () => {
	const cases: [string, unknown, object[], string][] = [
		["test", { a: 1 }, [{ op: "test", path: "/a", value: 2 }], "testing value /a failed: test failed"],
		[
			"replace of nothing",
			{},
			[{ op: "replace", path: "/a", value: 2 }],
			"replace operation does not apply: doc is missing key: /a: missing value",
		],
		[
			"remove of nothing",
			{},
			[{ op: "remove", path: "/a" }],
			"remove operation does not apply: error in remove for path: '/a': Unable to remove nonexistent key: a: missing value",
		],
		[
			"no parent",
			{},
			[{ op: "add", path: "/a/b", value: 2 }],
			'add operation does not apply: doc is missing path: "/a/b": missing value',
		],
		[
			"index beyond the list",
			{ a: [] },
			[{ op: "add", path: "/a/1", value: 2 }],
			"add operation does not apply: error in add for path: '/a/1': invalid index: 1",
		],
		[
			"leading zero",
			{ a: [1, 2] },
			[{ op: "remove", path: "/a/01" }],
			"remove operation does not apply: error in remove for path: '/a/01': Unable to remove nonexistent key: 01: missing value",
		],
		[
			"move into itself",
			{ a: {} },
			[{ op: "move", from: "/a", path: "/a/b" }],
			"move operation does not apply: a value cannot be moved into itself",
		],
		[
			"prototype",
			{},
			[{ op: "add", path: "/__proto__/x", value: 1 }],
			'add operation does not apply: doc is missing path: "/__proto__/x": missing value',
		],
	];
	test.each(cases)("%s", (_, document, operations, cause) => {
		expect(failure(document, operations)).toEqual({
			reason: "Invalid",
			message: "the server rejected our request due to an error in our request",
			cause,
		});
	});
});

test("a malformed patch is a bad request", () => {
	expect(failure({}, {}).reason).toBe("BadRequest");
	expect(failure({}, [{ op: "jump", path: "/a" }]).message).toContain("unexpected kind of operation");
	expect(failure({}, [{ op: "add", path: "/a" }]).message).toContain("without a value");
	expect(failure({}, [{ op: "add", path: "a", value: 1 }]).message).toContain("invalid path");
});

test("too many operations are refused", () => {
	const operations = Array.from({ length: 10_001 }, () => ({ op: "test", path: "/a", value: 1 }));
	expect(failure({ a: 1 }, operations).reason).toBe("RequestEntityTooLarge");
});

describe("what a patch makes is bounded", () => {
	test("copies may not double without end", () => {
		const doubling = Array.from({ length: 21 }, (_, index) => ({ op: "copy", from: "/data", path: `/data/c${index}` }));
		const { reason, cause } = failure({ data: { a: "some text".repeat(100) } }, doubling);
		expect(reason).toBe("Invalid");
		expect(cause).toMatch(
			/^Unable to complete the copy, the accumulated size increase of copy is \d+, exceeding the limit 3145728$/,
		);
	});

	test("copies of many small values may not, either", () => {
		const doubling = Array.from({ length: 20 }, () => ({ op: "copy", from: "", path: "/-" }));
		expect(failure([0, 0, 0], doubling).reason).toMatch(/Invalid|RequestEntityTooLarge|BadRequest/);
	});

	test("copies and moves into each other may not get deeper than a body may be", () => {
		const nest = (times: number) =>
			Array.from({ length: times }, () => [
				{ op: "add", path: "/b", value: {} },
				{ op: "move", from: "/a", path: "/b/a" },
				{ op: "move", from: "/b", path: "/a" },
			]).flat();
		expect(applyJsonPatch({ a: {} }, nest(10))).toBeDefined();
		expect(failure({ a: {} }, nest(3000)).message).toContain("exceeded max depth");
		expect(failure({ a: {} }, [...nest(1000), { op: "copy", from: "/a", path: "/c" }]).message).toContain("depth");
	});

	test("a field may have the name that every object's prototype has", () => {
		const result = applyJsonPatch({ data: {} }, [{ op: "add", path: "/data/__proto__", value: "x" }]);
		expect(JSON.stringify(result)).toBe('{"data":{"__proto__":"x"}}');
	});
});
