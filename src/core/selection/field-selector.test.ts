import { describe, expect, test, vi } from "vitest";
import { parseFieldSelector } from "./field-selector.ts";

describe("field selectors", () => {
	const value = (path: string) => ({ "status.phase": "Running", "spec.nodeName": "a,b" })[path] ?? "";
	test.each([
		["", true],
		["status.phase=Running", true],
		["status.phase==Running", true],
		["status.phase!=Running", false],
		["spec.nodeName=a\\,b", true],
		["spec.nodeName=a\\,b,status.phase!=Failed", true],
		["metadata.name=", true],
	])("%j", (text, expected) => {
		const selector = parseFieldSelector(text);
		expect(selector.matches(value)).toBe(expected);
		expect(parseFieldSelector(selector.toString()).matches(value)).toBe(expected);
	});

	test.each(["status.phase", "a=b=c"])("%j is refused", (text) => {
		expect(() => parseFieldSelector(text)).toThrow("invalid selector");
	});
});

test("a field is read once, however many requirements name it", () => {
	const name = vi.fn(() => "web");
	const others = Array.from({ length: 250 }, (_, index) => `metadata.name!=v${index}`);
	expect(parseFieldSelector(`${others},metadata.name=web`).matches(name)).toBe(true);
	expect(name).toHaveBeenCalledTimes(1);
	expect(parseFieldSelector("metadata.name=web,metadata.name=other").matches(name)).toBe(false);
	expect(parseFieldSelector("metadata.name!=web,metadata.name=web").matches(name)).toBe(false);
});
