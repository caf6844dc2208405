/**
 * Resource quantities such as `100m`, `1.5Gi` and `2e3` (API reference, "Quantity"). Values are exact to 1e-9, rounded
 * away from zero beyond that, and limited to 2^63-1, as upstream has it.
 */

/** How a quantity was written decides how it is printed. */
type Format = "decimal" | "binary" | "exponent";

interface Exact {
	/** The value times 10^9. */
	nano: bigint;
	format: Format;
}

const quantityPattern = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$";
const syntax = new RegExp(quantityPattern);
const numeric = /^([+-]?)([0-9]*)(?:\.([0-9]*))?$/;
const exponentSuffix = /^[eE]([-+]?[0-9]+)$/;
const decimalExponents: Readonly<Record<string, number>> = {
	n: -9,
	u: -6,
	m: -3,
	"": 0,
	k: 3,
	M: 6,
	G: 9,
	T: 12,
	P: 15,
	E: 18,
};
const decimalSuffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
/** In characters; quantities that mean something have a tenth of it. */
const longestText = 1000;
const nanoPerUnit = 10n ** 9n;
const limit = (2n ** 63n - 1n) * nanoPerUnit;

/** @throws Error with upstream's message when the text is not a quantity */
function parseExact(text: string): Exact {
	// Numbers of a million digits take seconds to read.
	if (text.length > longestText) throw new Error("unable to parse numeric part of quantity");
	const parts = syntax.exec(text);
	if (parts === null) throw new Error(`quantities must match the regular expression '${quantityPattern}'`);
	const number = numeric.exec(parts[1] ?? "");
	if (number === null || (number[2] ?? "") + (number[3] ?? "") === "")
		throw new Error("unable to parse numeric part of quantity");
	const suffix = parts[2] ?? "";
	const exponent = exponentSuffix.exec(suffix);
	const binaryPower = suffix === "" ? -1 : binarySuffixes.indexOf(suffix);
	let format: Format = "decimal";
	let decimal = decimalExponents[suffix];
	let factor = 1n;
	if (decimal === undefined && exponent !== null) {
		format = "exponent";
		decimal = Number(exponent[1]);
	} else if (decimal === undefined && binaryPower > 0) {
		format = "binary";
		decimal = 0;
		factor = 1024n ** BigInt(binaryPower);
	}
	if (decimal === undefined) throw new Error("unable to parse quantity's suffix");
	const fraction = number[3] ?? "";
	const magnitude = scaled(BigInt((number[2] ?? "") + fraction) * factor, decimal + 9 - fraction.length);
	const capped = magnitude > limit ? limit : magnitude;
	return { nano: number[1] === "-" ? -capped : capped, format };
}

/** `value` × 10^`exponent`, rounded up. `value` is not negative. */
function scaled(value: bigint, exponent: number): bigint {
	if (value === 0n) return 0n;
	// Anything beyond these powers is over the limit, or rounds up to the least value.
	if (exponent >= 0) return value * 10n ** BigInt(Math.min(exponent, 64));
	const divisor = 10n ** BigInt(Math.min(-exponent, 4096));
	return (value + divisor - 1n) / divisor;
}

function parse(quantity: string | number): Exact {
	return parseExact(typeof quantity === "number" ? numberText(quantity) : quantity);
}

/**
 * JavaScript writes 1e21 and 1e-7 with an exponent, a format of its own: quantities given as numbers may not
 * change.
 */
function numberText(value: number): string {
	return String(value).replace("e+", "e");
}

/**
 * The value in base units (cores, bytes) as a double: exact for integers up to 2^53, nearest otherwise.
 * For sums and comparisons that must be exact use `quantityNano`.
 * @throws Error with upstream's message when the text is not a quantity
 */
export function parseQuantity(quantity: string | number): number {
	if (typeof quantity === "number") return quantity;
	const short = /^[0-9]{1,15}$/.test(quantity);
	if (short) return Number(quantity);
	const { nano } = parseExact(quantity);
	const whole = nano / nanoPerUnit;
	const rest = nano % nanoPerUnit;
	return rest === 0n ? Number(whole) : Number(whole) + Number(rest) / 1e9;
}

/** The value times 10^9, exact. @throws Error when the text is not a quantity */
export function quantityNano(quantity: string | number): bigint {
	return parse(quantity).nano;
}

/** The value times 1000, rounded away from zero, as schedulers and quotas count CPU. @throws Error */
export function quantityMilli(quantity: string | number): bigint {
	return awayFromZero(parse(quantity).nano, 10n ** 6n);
}

/** Negative, zero or positive as `left` is less than, equal to or greater than `right`. @throws Error */
export function compareQuantities(left: string | number, right: string | number): number {
	const difference = quantityNano(left) - quantityNano(right);
	return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** The sum, printed in the format of `left` (of `right` when `left` is zero). @throws Error */
export function addQuantities(left: string | number, right: string | number): string {
	const [first, second] = [parse(left), parse(right)];
	return print({ nano: first.nano + second.nano, format: first.nano === 0n ? second.format : first.format });
}

/** The difference, printed in the format of `left` (of `right` when `left` is zero). @throws Error */
export function subtractQuantities(left: string | number, right: string | number): string {
	const [first, second] = [parse(left), parse(right)];
	return print({ nano: first.nano - second.nano, format: first.nano === 0n ? second.format : first.format });
}

/** `nano` (value times 10^9) as text: `decimal` prints `1500m`, `binary` prints `1536Mi`. */
export function formatQuantity(nano: bigint, format: "decimal" | "binary"): string {
	return print({ nano, format });
}

/**
 * The form in which the API stores a quantity: no fraction, the largest suffix that keeps it exact
 * (`1024Mi` → `1Gi`, `0.5` → `500m`, `1000` → `1k`).
 * @throws Error with upstream's message when the text is not a quantity
 */
export function canonicalQuantity(quantity: string | number): string {
	if (typeof quantity === "string") {
		const known = canonicalForms.get(quantity);
		if (known !== undefined) return known;
	}
	const canonical = print(parse(quantity));
	if (typeof quantity === "string" && quantity.length < 32 && canonicalForms.size < 10_000)
		canonicalForms.set(quantity, canonical);
	return canonical;
}

/** The same few texts come with every write of a pod or a node: remembered, up to a bound. */
const canonicalForms = new Map<string, string>();

function print({ nano, format }: Exact): string {
	if (nano === 0n) return "0";
	const sign = nano < 0n ? "-" : "";
	const magnitude = nano < 0n ? -nano : nano;
	// Small binary quantities print as decimals, so that 0.5Ki is 512 and 0.1Mi is not rounded to nothing.
	if (format === "binary" && magnitude >= 1024n * nanoPerUnit) {
		let bytes = awayFromZero(magnitude, nanoPerUnit);
		let power = 0;
		while (bytes % 1024n === 0n && power < binarySuffixes.length - 1) {
			bytes /= 1024n;
			power++;
		}
		return `${sign}${bytes}${binarySuffixes[power]}`;
	}
	let mantissa = magnitude;
	let thousands = -3;
	while (mantissa % 1000n === 0n && thousands < 6) {
		mantissa /= 1000n;
		thousands++;
	}
	if (format === "exponent") return `${sign}${mantissa}${thousands === 0 ? "" : `e${thousands * 3}`}`;
	return `${sign}${mantissa}${decimalSuffixes[thousands + 3]}`;
}

function awayFromZero(value: bigint, divisor: bigint): bigint {
	const quotient = value / divisor;
	if (value % divisor === 0n) return quotient;
	return value < 0n ? quotient - 1n : quotient + 1n;
}
