/** Wall-clock time in a time zone, from the zone data that comes with Node. */

export interface LocalTime {
	year: number;
	/** 1–12 */
	month: number;
	day: number;
	hour: number;
	minute: number;
	second: number;
	/** 0 is Sunday. */
	weekday: number;
}

export interface Zone {
	local(epochMs: number): LocalTime;
	/**
	 * Epoch milliseconds of a wall-clock time; fields beyond their range carry over. A time that occurs twice means the
	 * first or second as the zone's offset at the same figures in UTC decides, and one that is skipped falls an
	 * offset's difference to one side, as Go's time.Date has it: cron schedules depend on it.
	 */
	instant(year: number, month: number, day: number, hour: number, minute?: number, second?: number): number;
}

const zones = new Map<string, Zone | undefined>();
/** Zones are few; wrong names, which anybody may send, are not. */
const keptZones = 1000;

/** The zone of an IANA name such as `Europe/Berlin`; undefined when there is none. Names are case-sensitive. */
export function zoneNamed(name: string): Zone | undefined {
	if (zones.has(name)) return zones.get(name);
	if (zones.size >= keptZones) zones.clear();
	const zone = makeZone(name);
	zones.set(name, zone);
	return zone;
}

function makeZone(name: string): Zone | undefined {
	if (name === "UTC") return zoneOf(() => 0);
	// Node also takes offsets such as `+01:00`, which are no names.
	if (!/^[A-Za-z]/.test(name)) return undefined;
	let format: Intl.DateTimeFormat;
	try {
		format = new Intl.DateTimeFormat("en-US", {
			timeZone: name,
			calendar: "gregory",
			hourCycle: "h23",
			era: "short",
			year: "numeric",
			month: "numeric",
			day: "numeric",
			hour: "numeric",
			minute: "numeric",
			second: "numeric",
		});
	} catch {
		return undefined;
	}
	// Node ignores case; where it answers with the same name in another case, that one is right.
	const known = format.resolvedOptions().timeZone;
	if (known !== name && known.toLowerCase() === name.toLowerCase()) return undefined;
	return zoneOf(cachedOffsets(format));
}

const quarterMs = 15 * 60 * 1000;
const keptQuarters = 20_000;

/** Offset from UTC in milliseconds at a time. Zones change their offset only at whole quarters of an hour. */
function cachedOffsets(format: Intl.DateTimeFormat): (epochMs: number) => number {
	const offsets = new Map<number, number>();
	return (epochMs) => {
		const quarter = Math.floor(epochMs / quarterMs);
		let offsetMs = offsets.get(quarter);
		if (offsetMs === undefined) {
			if (offsets.size >= keptQuarters) offsets.clear();
			offsetMs = offsetAt(format, quarter * quarterMs);
			offsets.set(quarter, offsetMs);
		}
		return offsetMs;
	};
}

function offsetAt(format: Intl.DateTimeFormat, epochMs: number): number {
	const parts = new Map(format.formatToParts(epochMs).map(({ type, value }) => [type, value]));
	const part = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
	const year = parts.get("era") === "BC" ? 1 - part("year") : part("year");
	return utc(year, part("month"), part("day"), part("hour"), part("minute"), part("second")) - epochMs;
}

/** @param offsetMs how far clocks are ahead of UTC at a time */
export function zoneOf(offsetMs: (epochMs: number) => number): Zone {
	return {
		local(epochMs) {
			const shifted = new Date(epochMs + offsetMs(epochMs));
			return {
				year: shifted.getUTCFullYear(),
				month: shifted.getUTCMonth() + 1,
				day: shifted.getUTCDate(),
				hour: shifted.getUTCHours(),
				minute: shifted.getUTCMinutes(),
				second: shifted.getUTCSeconds(),
				weekday: shifted.getUTCDay(),
			};
		},
		instant(year, month, day, hour, minute = 0, second = 0) {
			const figures = utc(year, month, day, hour, minute, second);
			const near = figures - offsetMs(figures);
			return figures - offsetMs(near);
		},
	};
}

function utc(year: number, month: number, day: number, hour: number, minute: number, second: number): number {
	const date = new Date(0);
	date.setUTCFullYear(year, month - 1, day);
	date.setUTCHours(hour, minute, second);
	return date.getTime();
}
