import { expect, test } from "vitest";
import { duplicateFields as duplicates } from "./duplicate-fields.ts";

const duplicateFields = (text: string) => duplicates(text, JSON.parse(text));

test("fields named twice are found where they are, and names in strings and other objects are none", () => {
	expect(duplicateFields('{"a":1,"b":{"a":2,"a":3},"c":[{"x":1},{"x":1,"y":"\\"x\\":","x":2}],"a":4}')).toEqual([
		"b.a",
		"c[1].x",
		"a",
	]);
	expect(duplicateFields('{"a":["a","a",{"a":{}}],"b":"{\\"a\\":1,\\"a\\":2}"}')).toEqual([]);
	expect(duplicateFields('[1,"a","a"]')).toEqual([]);
	expect(duplicateFields('{"a\\\\":1,"b":"\\"","c":":\\\\\\"","__proto__":{"0":1,"0":2},"d":{"e":1},"d":1}')).toEqual([
		"__proto__.0",
		"d",
	]);
});
