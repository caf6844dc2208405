import { describe, expect, test, vi } from "vitest";
import { parseLabelSelector, selectorFrom, selectorFromLabels } from "./selector.ts";

const web = { app: "web", tier: "front", weight: "5" };

describe("label selectors in queries", () => {
	test.each([
		["", true],
		["app=web", true],
		["app==web", true],
		["app=api", false],
		["app!=api", true],
		["missing!=x", true],
		["app in (web, api)", true],
		["app notin (web)", false],
		["missing notin (x)", true],
		["tier", true],
		["!tier", false],
		["!missing", true],
		["weight>4", true],
		["weight<5", false],
		["app=web,tier=back", false],
		["missing in ()", false],
	])("%j", (text, expected) => {
		const selector = parseLabelSelector(text);
		expect(selector.matches(web)).toBe(expected);
		expect(parseLabelSelector(selector.toString()).matches(web)).toBe(expected);
	});

	test("their text is in order of the keys", () => {
		expect(String(parseLabelSelector("z=1,b in (y,x),!c"))).toBe("b in (x,y),!c,z=1");
	});

	test.each(["a=b c", "a in x", "a in (", ",", "a=b,", "x>abc", "=v"])("%j is refused", (text) => {
		expect(() => parseLabelSelector(text)).toThrow("unable to parse requirement");
	});
});

describe("label selectors in specs", () => {
	test("an absent one selects nothing, an empty one everything", () => {
		expect(selectorFrom(undefined).matches(web)).toBe(false);
		expect(selectorFrom({}).matches(web)).toBe(true);
		expect(selectorFromLabels({}).matches(web)).toBe(false);
		expect(selectorFromLabels({ app: "web" }).matches(web)).toBe(true);
	});

	test("labels and expressions must all hold", () => {
		const selector = selectorFrom({
			matchLabels: { app: "web" },
			matchExpressions: [
				{ key: "tier", operator: "In", values: ["front", "back"] },
				{ key: "canary", operator: "DoesNotExist" },
			],
		});
		expect(selector.matches(web)).toBe(true);
		expect(selector.matches({ ...web, canary: "" })).toBe(false);
		expect(selector.matches(undefined)).toBe(false);
		expect(String(selector)).toBe("app=web,!canary,tier in (back,front)");
	});

	test("names that objects inherit are no labels", () => {
		expect(parseLabelSelector("constructor").matches({})).toBe(false);
	});
});

test("many requirements select as few do, and cost what the object's labels do", () => {
	const operators = ["=a", "=b", "!=a", " in (a,b)", " notin (a)", "", ">1"];
	const some = (index: number, count: number) =>
		Array.from({ length: count }, (_, at) => {
			const operator = operators[(index * 7 + at * 3 + ((index >> at) & 3)) % operators.length] ?? "";
			return `${(index + at) % 5 === 0 ? "!" : ""}k${(index * at) % 4}${(index + at) % 5 === 0 ? "" : operator}`;
		});
	for (let index = 0; index < 300; index++) {
		const terms = some(index, 12);
		const labels = Object.fromEntries(
			Array.from({ length: index % 5 }, (_, at) => [`k${(at + index) % 5}`, ["a", "b", "2"][(index + at) % 3] ?? ""]),
		);
		const expected = terms.every((term) => parseLabelSelector(term).matches(labels));
		expect(parseLabelSelector(terms.join(",")).matches(labels), `${terms} of ${JSON.stringify(labels)}`).toBe(expected);
	}
	const read = vi.fn(() => "web");
	const labels = new Proxy({ app: "web" }, { get: read });
	const many = Array.from({ length: 250 }, (_, index) => `k${index} notin (a,b)`).join(",");
	expect(parseLabelSelector(`${many},app=web`).matches(labels)).toBe(true);
	expect(read).toHaveBeenCalledTimes(1);
});

test("a selector of too many values is refused", () => {
	const values = Array.from({ length: 20_000 }, (_, index) => `v${index}`);
	expect(() => parseLabelSelector(`a in (${values})`)).toThrow("10000 values");
});
