import { expect, test } from "vitest";
import { Recent } from "./recent.ts";

test("remembers what was used last, and never more than the limit", () => {
	const recent = new Recent<number>(8);
	for (let key = 0; key < 100; key++) {
		recent.set(`${key}`, key);
		expect(recent.get("0")).toBe(0);
	}
	const known = Array.from({ length: 100 }, (_, key) => key).filter((key) => recent.get(`${key}`) !== undefined);
	expect(known).toEqual(expect.arrayContaining([0, 97, 98, 99]));
	expect(known.length).toBeLessThanOrEqual(8);
});
