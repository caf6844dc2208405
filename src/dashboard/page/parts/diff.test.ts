import { expect, test } from "vitest";
import { diffLines } from "./diff.ts";

const text = (...lines: string[]) => lines.join("\n");
const shown = (before: string, after: string) => diffLines(before, after).map(({ sign, line }) => `${sign}${line}`);

test("lines that are not shared, in their order", () => {
	expect(shown("a", "a")).toEqual([]);
	expect(shown(text("a", "b", "c"), text("a", "x", "c"))).toEqual(["-b", "+x"]);
	expect(shown(text("a", "b", "c", "d"), text("b", "c", "e", "d"))).toEqual(["-a", "+e"]);
	expect(shown("", text("a", "b"))).toEqual(["-", "+a", "+b"]);
});

test("texts that would take long to compare are replaced as a whole", () => {
	const lines = (prefix: string) => Array.from({ length: 3000 }, (_, index) => `${prefix}${index}`).join("\n");
	expect(diffLines(lines("a"), lines("b"))).toHaveLength(6000);
});
