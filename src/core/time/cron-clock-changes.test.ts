/** Schedules that run once whatever the clocks do, against what is written in the tables of time zones. */
import { expect, test } from "vitest";
import { timestamp } from "./clock.ts";
import { parseCron } from "./cron.ts";

function times(schedule: string, after: string, until: string): string[] {
	const parsed = parseCron(schedule, "once");
	const found: string[] = [];
	for (let at = parsed.next(Date.parse(after)); at !== undefined && at <= Date.parse(until); at = parsed.next(at))
		found.push(timestamp(at).slice(5, 16));
	return found;
}

test.each([
	// Berlin, 29 March 2026: 02:00 +01:00 becomes 03:00 +02:00 at 01:00 UTC.
	["TZ=Europe/Berlin 30 2 * * *", "2026-03-28T00:00:00Z", ["03-28T01:30", "03-29T01:30", "03-30T00:30"]],
	["TZ=Europe/Berlin 0 2 * * *", "2026-03-28T00:00:00Z", ["03-28T01:00", "03-29T01:00", "03-30T00:00"]],
	["TZ=Europe/Berlin 0 2,3 * * *", "2026-03-29T00:00:00Z", ["03-29T01:00", "03-30T00:00", "03-30T01:00"]],
	["TZ=Europe/Berlin 0,30 2 29 3 *", "2026-03-28T00:00:00Z", ["03-29T01:00", "03-29T01:30"]],
	["TZ=Europe/Berlin 0 4 * * *", "2026-03-28T12:00:00Z", ["03-29T02:00", "03-30T02:00"]],
	// 25 October 2026: 03:00 +02:00 becomes 02:00 +01:00 at 01:00 UTC.
	["TZ=Europe/Berlin 30 2 * * *", "2026-10-24T00:00:00Z", ["10-24T00:30", "10-25T00:30", "10-26T01:30"]],
	["TZ=Europe/Berlin 30 2,3 25 10 *", "2026-10-24T00:00:00Z", ["10-25T00:30", "10-25T02:30"]],
	// From within the hour that is repeated, too.
	["TZ=Europe/Berlin 30 2 * * *", "2026-10-25T00:45:00Z", ["10-26T01:30"]],
	// Every hour means every hour.
	[
		"TZ=Europe/Berlin 30 * 25 10 *",
		"2026-10-24T23:00:00Z",
		["10-24T23:30", "10-25T00:30", "10-25T01:30", "10-25T02:30"],
	],
	// Half an hour on Lord Howe Island: at 15:00 UTC on 4 April clocks go back from 02:00 to 01:30, on 3 October forward
	// from 02:00 to 02:30.
	["TZ=Australia/Lord_Howe 45 1 * * *", "2026-04-03T15:00:00Z", ["04-04T14:45", "04-05T15:15"]],
	["TZ=Australia/Lord_Howe 15 2 * * *", "2026-10-02T16:00:00Z", ["10-03T15:45", "10-04T15:15"]],
	["30 2 * * *", "2026-03-28T00:00:00Z", ["03-28T02:30", "03-29T02:30", "03-30T02:30"]],
	["TZ=Asia/Kolkata 30 2 * * *", "2026-03-28T00:00:00Z", ["03-28T21:00", "03-29T21:00", "03-30T21:00"]],
])("%s after %s", (schedule, after, expected) => {
	const until = `2026-${expected.at(-1)}:00Z`;
	expect(times(schedule, after, until)).toEqual(expected);
});
