/**
 * Schedules that run once a day, whatever the clocks do. In the hour that clocks repeat in autumn a time comes twice,
 * and counts once; in the hour that they skip in spring a time does not come, and is due as many hours after the one
 * before as on other days: what should have run at 02:30 runs at 03:30.
 */
import type { Zone } from "./cron-zone.ts";
import { zoneOf } from "./cron-zone.ts";

/** Longer than any change of the clocks, and shorter than the time between two. */
const longestChangeMs = 3 * 3_600_000;

/** How far a zone's clocks are ahead of UTC. */
function offsetMs(zone: Zone, epochMs: number): number {
	const { year, month, day, hour, minute, second } = zone.local(epochMs);
	return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(epochMs / 1000) * 1000;
}

/** Whether clocks showed the same time before, and were put back since. */
export function isRepeated(zone: Zone, epochMs: number): boolean {
	const back = offsetMs(zone, epochMs - longestChangeMs) - offsetMs(zone, epochMs);
	return back > 0 && offsetMs(zone, epochMs - back) === offsetMs(zone, epochMs) + back;
}

/** The zone as its clocks would be if they were put forward only after the hour that they skip. */
export function putForwardLater(zone: Zone): Zone {
	return zoneOf((epochMs) => {
		const offset = offsetMs(zone, epochMs);
		const forward = offset - offsetMs(zone, epochMs - longestChangeMs);
		return forward > 0 ? offsetMs(zone, epochMs - forward) : offset;
	});
}
