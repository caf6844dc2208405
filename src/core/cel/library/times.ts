import { zoneNamed } from "../../time/cron-zone.ts";
import { durationType, intType, stringType, timestampType } from "../types/type.ts";
import type { Duration } from "../values/duration.ts";
import { fail } from "../values/failure.ts";
import { intOf } from "../values/integers.ts";
import type { Timestamp } from "../values/timestamp.ts";
import { type FunctionDeclaration, member, type Overload } from "./function.ts";

/** Parts of timestamps and durations. */

/** A part of a time by the clock of a zone; the time is given as if that were UTC. */
type Part = (wall: Date, nanos: number) => number;

const dayMs = 24 * 3_600_000;

const parts: readonly [string, string, string, Part][] = [
	["getFullYear", "timestamp_to_year", "timestamp_to_year_with_tz", (wall) => wall.getUTCFullYear()],
	["getMonth", "timestamp_to_month", "timestamp_to_month_with_tz", (wall) => wall.getUTCMonth()],
	["getDayOfYear", "timestamp_to_day_of_year", "timestamp_to_day_of_year_with_tz", dayOfYear],
	["getDayOfMonth", "timestamp_to_day_of_month", "timestamp_to_day_of_month_with_tz", (wall) => wall.getUTCDate() - 1],
	[
		"getDate",
		"timestamp_to_day_of_month_1_based",
		"timestamp_to_day_of_month_1_based_with_tz",
		(wall) => wall.getUTCDate(),
	],
	["getDayOfWeek", "timestamp_to_day_of_week", "timestamp_to_day_of_week_with_tz", (wall) => wall.getUTCDay()],
	["getHours", "timestamp_to_hours", "timestamp_to_hours_with_tz", (wall) => wall.getUTCHours()],
	["getMinutes", "timestamp_to_minutes", "timestamp_to_minutes_with_tz", (wall) => wall.getUTCMinutes()],
	["getSeconds", "timestamp_to_seconds", "timestamp_to_seconds_tz", (wall) => wall.getUTCSeconds()],
	[
		"getMilliseconds",
		"timestamp_to_milliseconds",
		"timestamp_to_milliseconds_with_tz",
		(_, nanos) => Math.trunc(nanos / 1e6),
	],
];

function dayOfYear(wall: Date): number {
	const start = new Date(wall);
	start.setUTCMonth(0, 1);
	return Math.round((wall.getTime() - start.getTime()) / dayMs);
}

/** How many nanoseconds the unit has, for durations. */
const durationParts: readonly [string, string, bigint][] = [
	["getHours", "duration_to_hours", 3_600_000_000_000n],
	["getMinutes", "duration_to_minutes", 60_000_000_000n],
	["getSeconds", "duration_to_seconds", 1_000_000_000n],
	["getMilliseconds", "duration_to_milliseconds", 1_000_000n],
];

export const times: readonly FunctionDeclaration[] = parts.map(([name, id, idWithZone, part]) => {
	const overloads: Overload[] = [
		member(id, [timestampType], intType, (time: Timestamp) => part(new Date(time.seconds * 1000), time.nanos)),
		member(idWithZone, [timestampType, stringType], intType, (time: Timestamp, zone: string) =>
			part(wallTime(time, zone), time.nanos),
		),
	];
	for (const [durationName, durationId, unit] of durationParts)
		if (durationName === name)
			overloads.push(member(durationId, [durationType], intType, (value: Duration) => intOf(value.nanos / unit)));
	return { name, overloads };
});

/** A time as the clocks of a zone show it: one by name (`Europe/Berlin`), or an offset (`+02:00`, `-7:30`). */
function wallTime(time: Timestamp, zone: string): Date {
	if (zone.includes(":")) return new Date((time.seconds + offsetSeconds(zone)) * 1000);
	if (zone === "" || zone === "UTC") return new Date(time.seconds * 1000);
	const local = zoneNamed(zone)?.local(time.seconds * 1000);
	if (local === undefined) return fail(`unknown time zone ${zone}`);
	const wall = new Date(0);
	wall.setUTCFullYear(local.year, local.month - 1, local.day);
	wall.setUTCHours(local.hour, local.minute, local.second);
	return wall;
}

function offsetSeconds(zone: string): number {
	const match = /^([+-]?\d{1,9}):([+-]?\d{1,9})$/.exec(zone);
	if (match === null) return fail(`strconv.Atoi: parsing "${zone.split(":", 1)[0]}": invalid syntax`);
	const [hours, minutes] = [Number(match[1]), Number(match[2])];
	if (minutes < 0 || minutes > 59) fail(`timezone offset minutes out of range [0, 59]: ${zone}`);
	return (hours * 60 + (zone.startsWith("-") ? -minutes : minutes)) * 60;
}
