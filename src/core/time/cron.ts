/**
 * Cron schedules as Kubernetes reads them: the standard format of robfig/cron v3. Five fields (minute, hour, day of
 * month, month, day of week), names, ranges, lists, steps; descriptors such as `@daily` and `@every 1h30m`; a time zone
 * in front (`TZ=` or `CRON_TZ=`).
 */

import { messageOf } from "../errors.ts";
import { isRepeated, putForwardLater } from "./cron-clock-changes.ts";
import { type Zone, zoneNamed } from "./cron-zone.ts";
import { parseDuration } from "./duration.ts";

export interface CronSchedule {
	/** The zone named in the text itself; it wins over the one given to `next`. */
	readonly timeZone: string | undefined;
	/**
	 * The first time after `afterMs` (epoch milliseconds) at which the schedule is due; undefined when that is more than
	 * five years away, as for the 30th of February. In the hour that clocks skip in spring nothing is due; in the hour
	 * that they repeat in autumn a time is due twice.
	 * @param timeZone IANA name, `UTC` when not given; must exist (`isTimeZone`)
	 */
	next(afterMs: number, timeZone?: string): number | undefined;
}

/** What is wrong with a schedule, in robfig's words. */
export class CronError extends Error {
	override readonly name = "CronError";
}

/**
 * How times are handled when clocks change. `asTheyCome`, as in robfig: they run twice or not at all. `once`: see
 * cron-clock-changes.ts; schedules that run every hour are not affected.
 */
export type ClockChanges = "asTheyCome" | "once";

/** @throws CronError */
export function parseCron(text: string, changes: ClockChanges = "asTheyCome"): CronSchedule {
	if (text.length === 0) throw new CronError("empty spec string");
	const zoned = /^(?:CRON_)?TZ=(\S*)(?: (.*))?$/s.exec(text);
	if (zoned === null) return parseUnzoned(text, undefined, changes);
	const timeZone = zoned[1] ?? "";
	if (timeZone !== "" && zoneNamed(timeZone) === undefined)
		throw new CronError(`provided bad location ${timeZone}: unknown time zone ${timeZone}`);
	return parseUnzoned((zoned[2] ?? "").trim(), timeZone === "" ? "UTC" : timeZone, changes);
}

/** Whether there is a time zone of this name; an empty name means UTC. */
export function isTimeZone(name: string): boolean {
	return name === "" || zoneNamed(name) !== undefined;
}

interface Bounds {
	least: number;
	most: number;
	names?: Readonly<Record<string, number>>;
}

/**
 * Whether each number is in the field; `star` when the field leaves everything open, which matters for the two day
 * fields.
 */
interface Field {
	values: readonly boolean[];
	star: boolean;
}

interface Fields {
	minute: Field;
	hour: Field;
	dayOfMonth: Field;
	month: Field;
	dayOfWeek: Field;
}

const numbered = (names: string, first: number): Record<string, number> =>
	Object.fromEntries(names.split(" ").map((name, index) => [name, index + first]));

const bounds = {
	minute: { least: 0, most: 59 },
	hour: { least: 0, most: 23 },
	dayOfMonth: { least: 1, most: 31 },
	month: { least: 1, most: 12, names: numbered("jan feb mar apr may jun jul aug sep oct nov dec", 1) },
	dayOfWeek: { least: 0, most: 6, names: numbered("sun mon tue wed thu fri sat", 0) },
} satisfies Record<keyof Fields, Bounds>;

const descriptors: Readonly<Record<string, string>> = {
	"@yearly": "0 0 1 1 *",
	"@annually": "0 0 1 1 *",
	"@monthly": "0 0 1 * *",
	"@weekly": "0 0 * * 0",
	"@daily": "0 0 * * *",
	"@midnight": "0 0 * * *",
	"@hourly": "0 * * * *",
};

function parseUnzoned(text: string, timeZone: string | undefined, changes: ClockChanges): CronSchedule {
	if (!text.startsWith("@")) return fieldSchedule(parseFields(text), timeZone, changes);
	const fields = Object.hasOwn(descriptors, text) ? descriptors[text] : undefined;
	if (fields !== undefined) return fieldSchedule(parseFields(fields), timeZone, changes);
	if (!text.startsWith("@every ")) throw new CronError(`unrecognized descriptor: ${text}`);
	let durationMs: number;
	try {
		durationMs = parseDuration(text.slice("@every ".length));
	} catch (error) {
		throw new CronError(`failed to parse duration ${text}: ${messageOf(error)}`);
	}
	return intervalSchedule(durationMs, timeZone);
}

/** Whole seconds, at least one, counted from wherever the caller stands. */
function intervalSchedule(durationMs: number, timeZone: string | undefined): CronSchedule {
	const stepMs = Math.max(Math.floor(durationMs / 1000), 1) * 1000;
	return { timeZone, next: (afterMs) => Math.floor(afterMs / 1000) * 1000 + stepMs };
}

function parseFields(text: string): Fields {
	const parts = text.split(/\s+/).filter((part) => part !== "");
	const [minute, hour, dayOfMonth, month, dayOfWeek, ...more] = parts;
	if (
		minute === undefined ||
		hour === undefined ||
		dayOfMonth === undefined ||
		month === undefined ||
		dayOfWeek === undefined ||
		more.length > 0
	)
		throw new CronError(`expected exactly 5 fields, found ${parts.length}: [${parts.join(" ")}]`);
	return {
		minute: parseField(minute, bounds.minute),
		hour: parseField(hour, bounds.hour),
		dayOfMonth: parseField(dayOfMonth, bounds.dayOfMonth),
		month: parseField(month, bounds.month),
		dayOfWeek: parseField(dayOfWeek, bounds.dayOfWeek),
	};
}

/** Ranges joined by commas. A list is as open as the most open of its parts. */
function parseField(text: string, limits: Bounds): Field {
	const values: boolean[] = [];
	let star = false;
	for (const part of text.split(",")) {
		if (part === "") continue;
		const range = parseRange(part, limits);
		for (let value = range.start; value <= range.end; value += range.step) values[value] = true;
		star ||= range.star;
	}
	return { values, star };
}

/** `*`, `?`, `5`, `1-5`, each with a step after a slash or without; `5/15` is 5 to the end of the field by 15. */
function parseRange(text: string, limits: Bounds): { start: number; end: number; step: number; star: boolean } {
	const [span = "", stepText, ...moreSteps] = text.split("/");
	const [low = "", high, ...moreHyphens] = span.split("-");
	const open = low === "*" || low === "?";
	const start = open ? limits.least : parseNumberOrName(low, limits);
	let end = limits.most;
	if (!open) {
		if (moreHyphens.length > 0) throw new CronError(`too many hyphens: ${text}`);
		end = high === undefined ? start : parseNumberOrName(high, limits);
	}
	if (moreSteps.length > 0) throw new CronError(`too many slashes: ${text}`);
	const step = stepText === undefined ? 1 : parseNumber(stepText);
	if (stepText !== undefined && high === undefined) end = limits.most;
	if (start < limits.least)
		throw new CronError(`beginning of range (${start}) below minimum (${limits.least}): ${text}`);
	if (end > limits.most) throw new CronError(`end of range (${end}) above maximum (${limits.most}): ${text}`);
	if (start > end) throw new CronError(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
	if (step === 0) throw new CronError(`step of range should be a positive number: ${text}`);
	// A step of more than one restricts the field: `*/2` counts as restricted, `*/1` does not.
	return { start, end, step, star: open && step === 1 };
}

function parseNumberOrName(text: string, { names }: Bounds): number {
	const name = text.toLowerCase();
	return (names !== undefined && Object.hasOwn(names, name) ? names[name] : undefined) ?? parseNumber(text);
}

function parseNumber(text: string): number {
	const refuse = (why: string) =>
		new CronError(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: ${why}`);
	if (!/^[+-]?[0-9]+$/.test(text)) throw refuse("invalid syntax");
	const number = BigInt(text.replace("+", ""));
	if (BigInt.asIntN(64, number) !== number) throw refuse("value out of range");
	if (number < 0n) throw new CronError(`negative number (${number}) not allowed: ${text}`);
	return Number(number);
}

/** Years after which the search is given up. */
const horizonYears = 5;

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

function fieldSchedule(fields: Fields, timeZone: string | undefined, changes: ClockChanges): CronSchedule {
	const once = changes === "once" && !fields.hour.star;
	return {
		timeZone,
		next(afterMs, otherZone = "UTC") {
			const name = timeZone ?? otherZone;
			const zone = zoneNamed(name === "" ? "UTC" : name);
			if (zone === undefined) throw new CronError(`unknown time zone ${name}`);
			const fromMs = Math.floor(afterMs / secondMs) * secondMs + secondMs;
			return once ? searchOnce(fields, zone, fromMs) : search(fields, zone, fromMs);
		},
	};
}

function searchOnce(fields: Fields, zone: Zone, fromMs: number): number | undefined {
	let timeMs = search(fields, zone, fromMs);
	while (timeMs !== undefined && isRepeated(zone, timeMs)) timeMs = search(fields, zone, timeMs + secondMs);
	const skippedMs = search(fields, putForwardLater(zone), fromMs);
	if (timeMs === undefined || skippedMs === undefined) return timeMs ?? skippedMs;
	return isRepeated(zone, skippedMs) ? timeMs : Math.min(timeMs, skippedMs);
}

/**
 * Finds the first match from `timeMs` on, field by field from the month down. Each field advances in its own unit until
 * it matches; when that carries into the next unit, the search starts over from the month. That order, and cutting the
 * smaller fields to zero only once, decides what happens at the clock changes, so it is kept as robfig has it.
 */
function search(fields: Fields, zone: Zone, timeMs: number): number | undefined {
	const lastYear = zone.local(timeMs).year + horizonYears;
	let cut = false;
	let time = timeMs;
	restart: for (;;) {
		let local = zone.local(time);
		if (local.year > lastYear) return undefined;
		while (!fields.month.values[local.month]) {
			if (!cut) time = zone.instant(local.year, local.month, 1, 0);
			cut = true;
			local = zone.local(time);
			time = zone.instant(local.year, local.month + 1, local.day, local.hour, local.minute, local.second);
			local = zone.local(time);
			if (local.month === 1) continue restart;
		}
		while (!dayMatches(fields, local)) {
			if (!cut) time = zone.instant(local.year, local.month, local.day, 0);
			cut = true;
			time = nextDay(zone, time);
			local = zone.local(time);
			if (local.day === 1) continue restart;
		}
		while (!fields.hour.values[local.hour]) {
			if (!cut) time = zone.instant(local.year, local.month, local.day, local.hour);
			cut = true;
			time += hourMs;
			local = zone.local(time);
			if (local.hour === 0) continue restart;
		}
		while (!fields.minute.values[local.minute]) {
			if (!cut) time = Math.floor(time / minuteMs) * minuteMs;
			cut = true;
			time += minuteMs;
			local = zone.local(time);
			if (local.minute === 0) continue restart;
		}
		if (local.second === 0) return time;
		time += (60 - local.second) * secondMs;
		cut = true;
	}
}

/** Restricted in both day fields: either will do. With one of them open: the other decides. */
function dayMatches({ dayOfMonth, dayOfWeek }: Fields, local: { day: number; weekday: number }): boolean {
	const byMonth = dayOfMonth.values[local.day] === true;
	const byWeek = dayOfWeek.values[local.weekday] === true;
	return dayOfMonth.star || dayOfWeek.star ? byMonth && byWeek : byMonth || byWeek;
}

/** The same time a day later, moved to the nearest midnight when the clocks change there. */
function nextDay(zone: Zone, time: number): number {
	const { year, month, day, hour, minute, second } = zone.local(time);
	const later = zone.instant(year, month, day + 1, hour, minute, second);
	const laterHour = zone.local(later).hour;
	if (laterHour === 0) return later;
	return laterHour > 12 ? later + (24 - laterHour) * hourMs : later - laterHour * hourMs;
}
