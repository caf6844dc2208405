/** Strings for times and bytes in their stored form. */
import { parseTimestamp, timestamp } from "../../core/time/clock.ts";

const storedTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const storedMicroTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:[.,](\d+))?(?:[Zz]|[-+]\d\d:\d\d)$/;

/** An RFC 3339 time in UTC with whole seconds; undefined if the text is not a time. */
export function normalTime(text: string): string | undefined {
	if (storedTime.test(text)) return text;
	const epochMs = rfc3339.test(text) ? parseTimestamp(text) : Number.NaN;
	return Number.isNaN(epochMs) ? undefined : timestamp(epochMs);
}

/** An RFC 3339 time in UTC with microseconds; undefined if the text is not a time. */
export function normalMicroTime(text: string): string | undefined {
	if (storedMicroTime.test(text)) return text;
	const seconds = normalTime(text);
	if (seconds === undefined) return undefined;
	const fraction = rfc3339.exec(text)?.[1] ?? "";
	return `${seconds.slice(0, -1)}.${fraction.slice(0, 6).padEnd(6, "0")}Z`;
}

/** The index at which text is not valid base64; undefined if all of it is. */
export function base64Mistake(text: string): number | undefined {
	const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
	const content = text.slice(0, text.length - padding);
	// With the complement, because a pattern with groups of four would take a second for the largest bodies.
	const wrong = /[^A-Za-z0-9+/]/.exec(content.replace(/=+$/, ""))?.index;
	if (wrong !== undefined) return wrong;
	const isWhole = text.length % 4 === 0 && !content.endsWith("=");
	return isWhole ? undefined : Math.floor(text.length / 4) * 4;
}
