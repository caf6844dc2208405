import { expect, test } from "vitest";
import { durationMs, goDuration, parseDuration } from "./duration.ts";

test("people count days and weeks, and neither go back nor forget units", () => {
	expect(["90s", "1h30m", "26h", "7d", "250ms", " 1.5h ", "1d12h", "2w", "0"].map(durationMs)).toEqual([
		90_000, 5_400_000, 93_600_000, 604_800_000, 250, 5_400_000, 129_600_000, 1_209_600_000, 0,
	]);
	for (const text of ["", " ", "-1h", "+1h", ".5h", "1", "1 h", "h", "1h-1m", `${"9".repeat(30)}d`])
		expect(() => durationMs(text), text).toThrow(/a duration/);
});

test("Go counts none, and goes back", () => {
	expect(["-1h", "+1.5h", ".5s", "1us", "0"].map(parseDuration)).toEqual([-3_600_000, 5_400_000, 500, 0.001, 0]);
	expect(() => parseDuration("1d")).toThrow('time: unknown unit "d" in duration "1d"');
});

test("Go writes durations without days, and zero in seconds", () => {
	expect([0, 812.4, 1500, 62_300, 300_000, 3_600_000, 90_061_000].map(goDuration)).toEqual([
		"0s",
		"812ms",
		"1.5s",
		"1m2.3s",
		"5m0s",
		"1h0m0s",
		"25h1m1s",
	]);
});
