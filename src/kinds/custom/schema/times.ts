/** Dates, times and durations as the formats of schemas have them. */
import { parseDuration } from "../../../core/duration.ts";

const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** A `full-date` of RFC 3339 that the calendar has. */
export function isDate(text: string): boolean {
	const [, year = 0, month = 0, day = 0] = (/^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? []).map(Number);
	if (month < 1 || month > 12 || day < 1) return false;
	const isLeap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
	return day <= (daysOfMonth[month - 1] ?? 0) + (isLeap ? 1 : 0);
}

/** A `date-time` of RFC 3339, with any character before the fraction of the second. */
export function isDateTime(text: string): boolean {
	const [date = "", time = ""] = text.toLowerCase().split("t", 3);
	if (!isDate(date)) return false;
	const [, hour = "", minute = "", second = ""] = /^(\d\d):(\d\d):(\d\d)(?:.\d+)?(?:z|[-+]\d\d:\d\d)$/.exec(time) ?? [];
	return hour !== "" && hour <= "23" && minute <= "59" && second <= "59";
}

const unitNames = /^(?:ns|us|µs|ms|[smhdw]|hr|wk|nano.*|micro.*|milli.*|sec.*|min.*|hour.*|day.*|week.*)$/;
const longestTested = 4096;

/** As Go writes durations (`1h30m`), or as Scala does: at least one number with a unit, such as `5 minutes` or `2 d`. */
export function isDuration(text: string): boolean {
	if (text.length > longestTested) return false;
	try {
		parseDuration(text);
		return true;
	} catch {
		let found = false;
		for (const [, count, unit = ""] of text.matchAll(/(\d+)\s*([A-Za-zµ]+)/g)) {
			if (Number(count) >= 2 ** 63) return false;
			found ||= unitNames.test(unit.toLowerCase());
		}
		return found;
	}
}
