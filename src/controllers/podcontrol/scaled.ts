/**
 * A number of pods, or a percentage of `total` (`IntOrString` in the API), rounded up or down. Any other value counts
 * as 0: validation rejects it.
 */
export function scaled(value: number | string | undefined, total: number, round: "up" | "down"): number {
	if (value === undefined) return 0;
	if (typeof value === "number") return value;
	const percent = /^(\d+)%$/.exec(value)?.[1];
	if (percent === undefined) return /^\d+$/.test(value) ? Number(value) : 0;
	const exact = (Number(percent) * total) / 100;
	return round === "up" ? Math.ceil(exact) : Math.floor(exact);
}
