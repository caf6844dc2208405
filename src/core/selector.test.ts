import { describe, expect, test } from "vitest";
import { parseFieldSelector, parseLabelSelector, selectorFrom, selectorFromLabels } from "./selector.ts";

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
