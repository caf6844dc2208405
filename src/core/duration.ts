const unitMs: Readonly<Record<string, number>> = {
	ms: 1,
	s: 1000,
	m: 60_000,
	h: 3_600_000,
	d: 24 * 3_600_000,
};

/**
 * Milliseconds of a duration as people write it: `90s`, `1h30m`, `26h`, `7d`, `250ms`.
 * @throws Error when it is none
 */
export function durationMs(text: string): number {
	let total = 0;
	let rest = text.trim();
	if (rest === "") throw new Error("a duration is missing: wanted something like 90s, 5m, 26h or 7d");
	while (rest !== "") {
		const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)/.exec(rest);
		if (match === null) throw new Error(`'${text}' is not a duration: wanted something like 90s, 5m, 26h, 7d or 1h30m`);
		total += Number(match[1]) * (unitMs[match[2] ?? ""] ?? 0);
		rest = rest.slice(match[0].length);
	}
	return total;
}
