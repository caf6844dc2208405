import { expect, test } from "vitest";
import { humanDuration } from "./age.ts";

const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000];

test.each([
	[-5 * second, "<invalid>"],
	[-second, "0s"],
	[0, "0s"],
	[119 * second, "119s"],
	[2 * minute, "2m"],
	[3 * minute + 5 * second, "3m5s"],
	[10 * minute + 30 * second, "10m"],
	[179 * minute, "179m"],
	[3 * hour, "3h"],
	[7 * hour + 59 * minute, "7h59m"],
	[8 * hour, "8h"],
	[47 * hour, "47h"],
	[48 * hour, "2d"],
	[3 * day + 4 * hour, "3d4h"],
	[8 * day, "8d"],
	[729 * day, "729d"],
	[730 * day, "2y"],
	[800 * day, "2y70d"],
	[3000 * day, "8y"],
])("%d ms is %s", (durationMs, expected) => {
	expect(humanDuration(durationMs)).toBe(expected);
});
