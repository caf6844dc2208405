import { describe, expect, test } from "vitest";
import {
	addQuantities,
	canonicalQuantity,
	compareQuantities,
	formatQuantity,
	parseQuantity,
	quantityMilli,
	quantityNano,
	subtractQuantities,
} from "./quantity.ts";

describe("the stored form of a quantity", () => {
	test.each([
		["0", "0"],
		["0.0Gi", "0"],
		["1024Mi", "1Gi"],
		["1536Mi", "1536Mi"],
		["1.5Gi", "1536Mi"],
		["0.5", "500m"],
		["1000m", "1"],
		["1500m", "1500m"],
		["1000", "1k"],
		["100000", "100k"],
		["1e3", "1e3"],
		["1E3", "1e3"],
		["12e2", "1200"],
		["0.5Ki", "512"],
		["-1Gi", "-1Gi"],
		["+3", "3"],
		[".5", "500m"],
		["5.", "5"],
		["0.0000000001", "1n"],
		["100Ei", "9223372036854775807"],
	])("%s is kept as %s", (text, expected) => {
		expect(canonicalQuantity(text)).toBe(expected);
		expect(canonicalQuantity(expected)).toBe(expected);
	});

	test("numbers are quantities too", () => {
		expect(canonicalQuantity(0.5)).toBe("500m");
		expect(canonicalQuantity(2)).toBe("2");
	});

	test.each([
		["", "quantities must match the regular expression"],
		["abc", "quantities must match the regular expression"],
		["1 Gi", "quantities must match the regular expression"],
		["1.2.3", "unable to parse numeric part of quantity"],
		["1KK", "unable to parse quantity's suffix"],
		["1GM", "unable to parse quantity's suffix"],
	])("%j is none", (text, message) => {
		expect(() => canonicalQuantity(text)).toThrow(message);
	});
});

test("values come as numbers, milli-units or exact", () => {
	expect(parseQuantity("250m")).toBe(0.25);
	expect(parseQuantity("2Gi")).toBe(2 * 1024 ** 3);
	expect(quantityMilli("100u")).toBe(1n);
	expect(quantityMilli("1.5")).toBe(1500n);
	expect(quantityNano("1")).toBe(10n ** 9n);
});

test("quantities of different suffixes compare and add up", () => {
	expect(compareQuantities("1Gi", "1G")).toBeGreaterThan(0);
	expect(compareQuantities("1000m", "1")).toBe(0);
	expect(addQuantities("500m", "1")).toBe("1500m");
	expect(addQuantities("0", "1Gi")).toBe("1Gi");
	expect(subtractQuantities("1Gi", "512Mi")).toBe("512Mi");
	expect(formatQuantity(1536n * 1024n ** 2n * 10n ** 9n, "binary")).toBe("1536Mi");
});
