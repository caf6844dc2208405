import { InvalidArgumentError } from "commander";

const unitsMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/**
 * Milliseconds of `90s`, `30m`, `24h`, `1h30m`, `7d`, `2w`.
 * @throws InvalidArgumentError, to which commander adds the option's name
 */
export function sinceMs(text: string): number {
	const parts = [...text.matchAll(/(\d+)([smhdw])/g)];
	if (parts.length === 0 || parts.map(([part]) => part).join("") !== text)
		throw new InvalidArgumentError("It is not a duration such as 30m, 24h or 7d.");
	return parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (unitsMs[unit] ?? 0), 0);
}
