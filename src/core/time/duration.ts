/** Durations: as Go writes them (`1h30m`, `90s`, `1.5h`), and as people do, who count days and weeks, too. */

const goUnitsMs: Readonly<Record<string, number>> = {
	ns: 1e-6,
	us: 1e-3,
	"\u00b5s": 1e-3,
	"\u03bcs": 1e-3,
	ms: 1,
	s: 1000,
	m: 60_000,
	h: 3_600_000,
};
const unitsMs: Readonly<Record<string, number>> = { ...goUnitsMs, d: 24 * 3_600_000, w: 7 * 24 * 3_600_000 };

/** Durations are 64-bit counts of nanoseconds. */
const longestMs = 2 ** 63 / 1e6;

/** Milliseconds. @throws Error in the words of Go's time.ParseDuration */
export function parseDuration(text: string): number {
	return sumOf(text, goUnitsMs);
}

/**
 * Milliseconds of a duration as people write it: `90s`, `1h30m`, `26h`, `7d`, `2w`, `250ms`.
 * @throws Error when it is none, or goes back
 */
export function durationMs(text: string): number {
	const trimmed = text.trim();
	if (trimmed === "") throw new Error("a duration is missing: wanted something like 90s, 5m, 26h or 7d");
	try {
		if (/^\d/.test(trimmed)) return sumOf(trimmed, unitsMs);
	} catch {
		// As below.
	}
	throw new Error(`'${text}' is not a duration: wanted something like 90s, 5m, 26h, 7d or 1h30m`);
}

/** Milliseconds as Go writes a duration, rounded to whole ones: `0s`, `812ms`, `1m2.3s`, `5m0s`, `1h0m0s`. */
export function goDuration(ms: number): string {
	const whole = Math.round(ms);
	if (whole !== 0 && whole < 1000) return `${whole}ms`;
	const [hours, minutes] = [Math.floor(whole / 3_600_000), Math.floor(whole / 60_000) % 60];
	const seconds = `${(whole % 60_000) / 1000}s`;
	if (hours > 0) return `${hours}h${minutes}m${seconds}`;
	return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

function sumOf(text: string, units: Readonly<Record<string, number>>): number {
	const quoted = JSON.stringify(text);
	const invalid = () => new Error(`time: invalid duration ${quoted}`);
	const unsigned = text.replace(/^[+-]/, "");
	if (unsigned === "0") return 0;
	if (unsigned === "") throw invalid();
	let rest = unsigned;
	let totalMs = 0;
	while (rest !== "") {
		const number = /^([0-9]*)(?:\.([0-9]*))?/.exec(rest);
		if (number === null || !/[0-9]/.test(number[0])) throw invalid();
		rest = rest.slice(number[0].length);
		const unit = /^[^.0-9]+/.exec(rest)?.[0];
		if (unit === undefined) throw new Error(`time: missing unit in duration ${quoted}`);
		const unitMs = Object.hasOwn(units, unit) ? units[unit] : undefined;
		if (unitMs === undefined) throw new Error(`time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`);
		rest = rest.slice(unit.length);
		totalMs += Number(`${number[1] || "0"}.${number[2] || "0"}`) * unitMs;
		if (totalMs >= longestMs) throw invalid();
	}
	return text.startsWith("-") ? -totalMs : totalMs;
}
