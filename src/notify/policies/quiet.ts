/** Times of the day at which nothing is sent. Pure. */
import { zoneNamed } from "../../core/time/cron-zone.ts";
import type { NotificationQuietHours } from "../../kinds/notify/types.ts";

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** When the current quiet hours end, in epoch milliseconds; undefined outside of quiet hours. */
export function quietUntilMs(hours: NotificationQuietHours | undefined, nowMs: number): number | undefined {
	const zone = zoneNamed(hours?.timeZone ?? "UTC");
	if (hours === undefined || zone === undefined) return undefined;
	const [from, to] = [minutesOf(hours.from), minutesOf(hours.to)];
	const { year, month, day, weekday } = zone.local(nowMs);
	// Quiet hours that started yesterday may still be in effect.
	for (const back of [1, 0]) {
		const isWanted = hours.days === undefined || hours.days.includes(days[(weekday - back + 7) % 7] ?? "");
		const startMs = zone.instant(year, month, day - back, 0, from);
		const endMs = zone.instant(year, month, day - back + (to > from ? 0 : 1), 0, to);
		if (isWanted && nowMs >= startMs && nowMs < endMs) return endMs;
	}
	return undefined;
}

function minutesOf(text: string): number {
	const [hour = 0, minute = 0] = text.split(":").map(Number);
	return hour * 60 + minute;
}
