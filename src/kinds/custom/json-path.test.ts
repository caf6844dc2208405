import { expect, test } from "vitest";
import { parseJsonPath } from "./json-path.ts";

const object = {
	metadata: { name: "x", annotations: { "a.b/c": "dotted" } },
	spec: { list: [10, 20, 30], empty: [], zero: 0, no: null },
	status: {
		conditions: [
			{ type: "Ready", status: "True", weight: 1 },
			{ type: "Done", status: "False", weight: 5 },
		],
	},
};

test.each<[string, unknown[]]>([
	[".metadata.name", ["x"]],
	["$.metadata.name", ["x"]],
	["metadata.name", ["x"]],
	[".", [object]],
	[".spec.none.deeper", []],
	[".spec.no", [null]],
	[".spec.zero", [0]],
	[".metadata.annotations.a\\.b/c", ["dotted"]],
	[".metadata.annotations['a.b/c']", ["dotted"]],
	['.metadata["name"]', ["x"]],
	[".spec.list[0]", [10]],
	[".spec.list[-1]", [30]],
	[".spec.list[7]", []],
	[".spec.list[1:]", [20, 30]],
	[".spec.list[0:-1]", [10, 20]],
	[".spec.list[::2]", [10, 30]],
	[".spec.list[0,2]", [10, 30]],
	[".spec.list[*]", [10, 20, 30]],
	[".status.conditions[*].type", ["Ready", "Done"]],
	['.status.conditions[?(@.type=="Ready")].status', ["True"]],
	[".status.conditions[?(@.type=='Done')].status", ["False"]],
	[".status.conditions[?(@.weight > 1)].type", ["Done"]],
	['.status.conditions[?(@.type!="Ready")].type', ["Done"]],
	[".status.conditions[?(@.missing)].type", []],
	["..type", ["Ready", "Done"]],
	[".metadata['name','none']", ["x"]],
	[".spec.constructor", []],
])("%s finds %j", (path, expected) => {
	expect(parseJsonPath(path)(object)).toEqual(expected);
});

test.each([".spec.list[", ".spec.list[a]", ".spec}{.x", ".status[?(@.a==)]", ".spec.list[0:1:0]", ".a b"])(
	"%s is no path",
	(path) => {
		expect(() => parseJsonPath(path)).toThrow();
	},
);
