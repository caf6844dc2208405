import { humanDuration } from "../../../core/time/age.ts";
import { nowMs } from "../state/clock.ts";
import { language } from "../state/settings.ts";

/** `3m20s`, as kubectl shows it; follows the clock. */
export function age(timestamp: string | undefined): string {
	return timestamp === undefined ? "" : humanDuration(nowMs() - Date.parse(timestamp));
}

/** How long it is until then. */
export function until(ms: number): string {
	return humanDuration(ms - nowMs());
}

/** How long it took, or has been taking. */
export function span(start: string | undefined, end: string | undefined): string {
	if (start === undefined) return "";
	return humanDuration((end === undefined ? nowMs() : Date.parse(end)) - Date.parse(start));
}

/** Date and time in a zone. Default: the viewer's. */
export function dateTime(ms: number, timeZone?: string): string {
	return new Intl.DateTimeFormat(language.value === "de" ? "de-DE" : "en-GB", {
		dateStyle: "medium",
		timeStyle: "medium",
		...(timeZone !== undefined && { timeZone }),
	}).format(ms);
}
