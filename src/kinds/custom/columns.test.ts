import { expect, test } from "vitest";
import { customColumns, selectableFields } from "./columns.ts";

const object = {
	apiVersion: "example.com/v1",
	kind: "Foo",
	metadata: { name: "x", uid: "", resourceVersion: "", creationTimestamp: "2024-01-01T00:00:00Z" },
	spec: { text: "a", count: 3, ratio: 1.5, large: 1e6 + 0.5, flag: false, no: null, map: { a: 1 }, wrong: "2024" },
};
const nowMs = Date.UTC(2024, 0, 1, 1);

function cell(type: string, jsonPath: string): unknown {
	const [, column] = customColumns([{ name: "C", type, jsonPath }]);
	return column?.cell(object, nowMs);
}

test.each<[string, string, unknown]>([
	["string", ".spec.text", "a"],
	["string", ".spec.count", "3"],
	["string", ".spec.large", "1.0000005e+06"],
	["string", ".spec.flag", "false"],
	["string", ".spec.map", '{"a":1}'],
	["string", ".spec.no", "<no value>"],
	["string", ".spec.none", null],
	["integer", ".spec.count", 3],
	["integer", ".spec.ratio", 1],
	["integer", ".spec.text", null],
	["number", ".spec.ratio", 1.5],
	["boolean", ".spec.flag", false],
	["boolean", ".spec.text", null],
	["date", ".metadata.creationTimestamp", "60m"],
	["date", ".spec.wrong", "<invalid>"],
	["date", ".spec.none", null],
	["string", ".spec[", null],
])("a column of type %s at %s", (type, jsonPath, expected) => {
	expect(cell(type, jsonPath)).toBe(expected);
});

test("without columns there are the name and the age", () => {
	expect(customColumns().map(({ name, cell }) => [name, cell(object, nowMs)])).toEqual([
		["Name", "x"],
		["Age", "60m"],
	]);
});

test("a column without a description says where its value comes from", () => {
	const [, column] = customColumns([{ name: "C", type: "string", jsonPath: ".spec.text" }]);
	expect(column?.description).toBe("Custom resource definition column (in JSONPath format): .spec.text");
});

test("fields that selectors name are texts, empty where there is nothing", () => {
	const fields = selectableFields([
		{ jsonPath: ".spec.count" },
		{ jsonPath: ".spec.flag" },
		{ jsonPath: ".spec.none" },
	]);
	expect(fields.map(({ path, value }) => [path, value(object)])).toEqual([
		["spec.count", "3"],
		["spec.flag", "false"],
		["spec.none", ""],
	]);
});
