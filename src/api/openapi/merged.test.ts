import { expect, test } from "vitest";
import { mergedDocument } from "./merged.ts";

test("equal definitions are one, others get a name of their own, and paths that are there stay", () => {
	const own = { paths: { "/a": "own" }, definitions: { Same: { type: "string" }, Other: { type: "integer" } } };
	const ref = (name: string) => ({ $ref: `#/definitions/${name}` });
	const part = {
		paths: { "/a": "part", "/b": { get: [ref("Other"), ref("Same"), ref("New")] } },
		definitions: {
			Same: { type: "string" },
			Other: { items: ref("Other") },
			New: { properties: { $ref: ref("Other") } },
		},
	};
	expect(mergedDocument(own, [part, part])).toEqual({
		paths: { "/a": "own", "/b": { get: [ref("Other_v2"), ref("Same"), ref("New")] } },
		definitions: {
			...own.definitions,
			Other_v2: { items: ref("Other_v2") },
			Other_v3: { items: ref("Other_v3") },
			New: { properties: { $ref: ref("Other_v2") } },
			New_v2: { properties: { $ref: ref("Other_v3") } },
		},
	});
});
