import { expect, test } from "vitest";
import { duplicateFields } from "./duplicate-fields.ts";

test("fields named twice are found where they are, and names in strings and other objects are none", () => {
	expect(duplicateFields('{"a":1,"b":{"a":2,"a":3},"c":[{"x":1},{"x":1,"y":"\\"x\\":","x":2}],"a":4}')).toEqual([
		"b.a",
		"c[1].x",
		"a",
	]);
	expect(duplicateFields('{"a":["a","a",{"a":{}}],"b":"{\\"a\\":1,\\"a\\":2}"}')).toEqual([]);
	expect(duplicateFields('[1,"a","a"]')).toEqual([]);
});
