import { expect, test } from "vitest";
import { goText } from "./go-text.ts";

test.each([
	[{ metadata: { labels: "invalid" } }, "map[metadata:map[labels:invalid]]"],
	[{ b: [1, 1.5, true], a: null }, "map[a:<nil> b:[1 1.5 true]]"],
	[{}, "map[]"],
	[[], "[]"],
])("%j", (value, text) => expect(goText(value)).toBe(text));

test("a text that gets too long is cut off", () => {
	const text = goText({ a: ["x".repeat(900), "y".repeat(900)] });
	expect(text).toHaveLength(1001);
	expect(text.endsWith("y…")).toBe(true);
});
