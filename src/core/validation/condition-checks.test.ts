import { expect, test } from "vitest";
import { conditionsProblems } from "./condition-checks.ts";

const good = { type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z", reason: "AllIsWell" };

test("conditions are complete, well formed, and of different types", () => {
	expect(conditionsProblems([good, { ...good, type: "example.com/Dry", status: "Unknown" }], "c")).toEqual([]);
	const bad = [good, good, {}, { ...good, type: "a b", status: "Yes", observedGeneration: -1, reason: "1st" }];
	expect(conditionsProblems(bad, "c").map(({ field }) => field)).toEqual([
		"c[1]",
		"c[2].type",
		"c[2].status",
		"c[2].lastTransitionTime",
		"c[2].reason",
		"c[3].type",
		"c[3].status",
		"c[3].observedGeneration",
		"c[3].reason",
	]);
	const long = { ...good, reason: "R".repeat(1025), message: "m".repeat(32 * 1024 + 1) };
	expect(conditionsProblems([long], "c").map(({ field }) => field)).toEqual(["c[0].reason", "c[0].message"]);
});
