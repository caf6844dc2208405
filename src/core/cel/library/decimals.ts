/** Decimals as Go's printer for English writes them: digits in groups, exponents as powers of ten. */

/** What `toFixed` takes; doubles have no more digits that mean something. */
const mostDecimals = 100;

/** @param precision decimals @param grouped whether thousands are set apart by commas */
export function fixedText(value: number, precision: number, grouped = true): string {
	const decimals = Math.min(precision, mostDecimals);
	const text = rounded(value, decimals);
	const padded = text + "0".repeat(precision - decimals);
	if (!grouped) return padded;
	const [whole = "", fraction] = padded.split(".");
	const groups = whole.replace(/\B(?=(\d{3})+$)/g, ",");
	return fraction === undefined ? groups : `${groups}.${fraction}`;
}

/** Halves round to the even digit. */
function rounded(value: number, decimals: number): string {
	if (Math.abs(value) >= 1e21) return `${BigInt(value)}${decimals > 0 ? `.${"0".repeat(decimals)}` : ""}`;
	const text = value.toFixed(decimals);
	const [whole = "", fraction = ""] = value.toFixed(mostDecimals).split(".");
	if (!/^50*$/.test(fraction.slice(decimals))) return text;
	const down = decimals === 0 ? whole : `${whole}.${fraction.slice(0, decimals)}`;
	return /[02468]$/.test(down) ? down : text;
}

const superscripts = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079";

/** `3.140000×10⁰⁰` */
export function exponentText(value: number, precision: number): string {
	const [mantissa = "", exponent = "0"] = value.toExponential(Math.min(precision, mostDecimals)).split("e");
	const digits = exponent.replace(/^[+-]/, "").padStart(2, "0");
	const power = digits.replace(/\d/g, (digit) => superscripts.charAt(Number(digit)));
	const zeros = "0".repeat(precision - Math.min(precision, mostDecimals));
	return `${mantissa}${zeros}\u00d710${exponent.startsWith("-") ? "\u207b" : ""}${power}`;
}
