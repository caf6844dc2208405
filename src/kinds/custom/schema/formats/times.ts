/** Dates, times and durations as the formats of schemas have them. */
import { parseDuration } from "../../../../core/time/duration.ts";

const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** A `full-date` of RFC 3339 that the calendar has. */
export function isDate(text: string): boolean {
	if (text.length !== 10 || text[4] !== "-" || text[7] !== "-") return false;
	const [year, month, day] = [number(text, 0, 4), number(text, 5, 7), number(text, 8, 10)];
	// None of the comparisons holds for what is no number.
	if (!(year >= 0 && month >= 1 && month <= 12 && day >= 1)) return false;
	const isLeap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
	return day <= (daysOfMonth[month - 1] ?? 0) + (isLeap ? 1 : 0);
}

/** NaN when there is anything but digits. */
function number(text: string, from: number, to: number): number {
	let value = 0;
	for (let index = from; index < to; index++) {
		const digit = text.charCodeAt(index) - 0x30;
		value = digit >= 0 && digit <= 9 ? value * 10 + digit : Number.NaN;
	}
	return value;
}

const timeForm = /^(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:.\d+)?(?:z|[-+]\d\d:\d\d)$/i;

/** A `date-time` of RFC 3339, with any character before the fraction of the second. */
export function isDateTime(text: string): boolean {
	// The rest after another t does not count.
	const [date = "", time = ""] = text.split(/t/i, 3);
	return isDate(date) && timeForm.test(time);
}

const unitNames = /^(?:ns|us|µs|ms|[smhdw]|hr|wk|nano.*|micro.*|milli.*|sec.*|min.*|hour.*|day.*|week.*)$/;
const longestTested = 4096;

/**
 * As Go writes durations (`1h30m`), or as Scala does: at least one number with a unit, such as `5 minutes` or `2 d`.
 */
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
