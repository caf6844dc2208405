/** `2`, or `"25%"` of a number. Undefined when one of them is missing, or is no number. */
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
