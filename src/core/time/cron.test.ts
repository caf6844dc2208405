import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { timestamp } from "./clock.ts";
import { isTimeZone, parseCron } from "./cron.ts";
import { parseDuration } from "./duration.ts";

interface Case {
	schedule: string;
	zone: string;
	after: string;
	next: string[];
}

/**
 * Expected times were not computed by this code: a Python program of a few lines read the five fields on its own,
 * walked from `after` minute by minute through up to five years of UTC, asked Python's zoneinfo for the wall-clock time
 * of each and kept the minutes that match (day of month OR day of week when neither is `*`, `?` or `*` by one). The
 * first part was chosen by hand, the rest at random, half of it around days on which clocks change.
 */
const cases = readFileSync(new URL("../testdata/cron-cases.jsonl", import.meta.url), "utf8")
	.trimEnd()
	.split("\n")
	.map((line) => JSON.parse(line) as Case);

function times(schedule: string, after: string, count: number, zone?: string): string[] {
	const parsed = parseCron(schedule);
	const found: string[] = [];
	let time: number | undefined = Date.parse(after);
	while (found.length < count) {
		time = parsed.next(time, zone);
		if (time === undefined) break;
		found.push(timestamp(time));
	}
	return found;
}

describe("cron", () => {
	test.each(cases)("$schedule in $zone after $after", ({ schedule, zone, after, next }) => {
		expect(times(schedule, after, Math.max(next.length, 1), zone)).toEqual(next);
	});

	test("a zone in the text wins over the one given", () => {
		const expected = ["2026-06-01T07:00:00Z"];
		expect(times("TZ=Europe/Berlin 0 9 * * *", "2026-06-01T00:00:00Z", 1, "Asia/Tokyo")).toEqual(expected);
		expect(times("CRON_TZ=Europe/Berlin   0 9 * * *", "2026-06-01T00:00:00Z", 1)).toEqual(expected);
		expect(parseCron("TZ=Europe/Berlin @daily").timeZone).toBe("Europe/Berlin");
	});

	test("@every counts whole seconds from where it stands", () => {
		expect(times("@every 1h30m", "2026-06-01T00:00:00.700Z", 2)).toEqual([
			"2026-06-01T01:30:00Z",
			"2026-06-01T03:00:00Z",
		]);
		expect(times("@every 1.5s", "2026-06-01T00:00:00Z", 1)).toEqual(["2026-06-01T00:00:01Z"]);
		expect(times("@every 10ms", "2026-06-01T00:00:00Z", 1)).toEqual(["2026-06-01T00:00:01Z"]);
	});

	test("a date that does not come within five years never comes", () => {
		expect(times("0 0 30 2 *", "2026-01-01T00:00:00Z", 1)).toEqual([]);
		expect(times("0 0 29 2 *", "2096-03-01T00:00:00Z", 1)).toEqual([]);
	});

	/**
	 * Where midnight does not exist, robfig's step from day to day lands an hour to one side and is pushed back to a
	 * midnight.
	 */
	test("a day without midnight is reached from the west and stepped over from the east", () => {
		expect(times("0 12 * * 0", "2018-11-03T12:00:00Z", 1, "America/Sao_Paulo")).toEqual(["2018-11-04T14:00:00Z"]);
		// 26 April 2024, a Friday, begins at 01:00 in Cairo.
		expect(times("0 12 * * 5", "2024-04-24T12:00:00Z", 1, "Africa/Cairo")).toEqual(["2024-05-03T09:00:00Z"]);
	});

	test.each([
		["", "empty spec string"],
		["* * * *", "expected exactly 5 fields, found 4: [* * * *]"],
		["* * * * * *", "expected exactly 5 fields, found 6: [* * * * * *]"],
		["60 * * * *", "end of range (60) above maximum (59): 60"],
		["* * 0 * *", "beginning of range (0) below minimum (1): 0"],
		["* * * * 7", "end of range (7) above maximum (6): 7"],
		["9-5 * * * *", "beginning of range (9) beyond end of range (5): 9-5"],
		["1-2-3 * * * *", "too many hyphens: 1-2-3"],
		["1/2/3 * * * *", "too many slashes: 1/2/3"],
		["*/0 * * * *", "step of range should be a positive number: */0"],
		["x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
		["* * L * *", 'failed to parse int from L: strconv.Atoi: parsing "L": invalid syntax'],
		["* * * * 1#2", 'failed to parse int from 1#2: strconv.Atoi: parsing "1#2": invalid syntax'],
		["*/-1 * * * *", "negative number (-1) not allowed: -1"],
		["@reboot", "unrecognized descriptor: @reboot"],
		["@every x", 'failed to parse duration @every x: time: invalid duration "x"'],
		["@every 1d", 'failed to parse duration @every 1d: time: unknown unit "d" in duration "1d"'],
		["TZ=Mars/Olympus 0 0 * * *", "provided bad location Mars/Olympus: unknown time zone Mars/Olympus"],
	])("%j is refused", (schedule, message) => {
		expect(() => parseCron(schedule)).toThrow(message);
	});

	test("time zones are IANA names in their own case", () => {
		expect(["UTC", "", "Europe/Berlin", "Asia/Calcutta", "EST5EDT"].filter((name) => !isTimeZone(name))).toEqual([]);
		expect(["+01:00", "europe/berlin", "Nowhere/City", "Europe/"].filter(isTimeZone)).toEqual([]);
	});
});

test.each([
	["1h30m", 5_400_000],
	["1.5h", 5_400_000],
	["-.5s", -500],
	["0", 0],
	["+1us", 0.001],
])("duration %s", (text, milliseconds) => {
	expect(parseDuration(text)).toBeCloseTo(milliseconds, 9);
});

test.each([
	["", 'time: invalid duration ""'],
	["5", 'time: missing unit in duration "5"'],
	[".", 'time: invalid duration "."'],
	["3000000h", 'time: invalid duration "3000000h"'],
])("duration %j is refused", (text, message) => {
	expect(() => parseDuration(text)).toThrow(message);
});
