/** The number for `2`, or for `"25%"` of a total. Undefined if either is missing or invalid. */
export function scaledNumber(
	amount: number | string | undefined,
	of: number | undefined,
	round: "up" | "down",
): number | undefined {
	if (amount === undefined || of === undefined) return undefined;
	if (typeof amount === "number") return amount;
	const percent = /^(\d+)%$/.exec(amount)?.[1];
	if (percent === undefined) return undefined;
	const exact = (Number(percent) * of) / 100;
	return round === "up" ? Math.ceil(exact) : Math.floor(exact);
}
