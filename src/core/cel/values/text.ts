/** Texts of values as Go writes them. */

/** Doubles from 10^6 on have an exponent when they are written in their shortest form. */
const largestPlainExponent = 6;

/** Shortest form that reads back as the same double: `1.5`, `1e+06`, `+Inf`, `NaN`. */
export function doubleText(value: number): string {
	if (Number.isNaN(value)) return "NaN";
	if (!Number.isFinite(value)) return value < 0 ? "-Inf" : "+Inf";
	if (value === 0) return Object.is(value, -0) ? "-0" : "0";
	const [mantissa, exponentText] = value.toExponential().split("e");
	const exponent = Number(exponentText);
	if (exponent >= -4 && exponent < largestPlainExponent) {
		const text = String(value);
		if (!text.includes("e")) return text;
		return value.toFixed(Math.max(0, (mantissa ?? "").replace(/^-?\d\.?/, "").length - exponent));
	}
	const digits = String(Math.abs(exponent)).padStart(2, "0");
	return `${mantissa}e${exponent < 0 ? "-" : "+"}${digits}`;
}

/** Code points, which sizes and indexes of strings count. */
export function codePointCount(text: string): number {
	let count = text.length;
	for (let index = 0; index < text.length - 1; index++) {
		const unit = text.charCodeAt(index);
		if (unit < 0xd800 || unit > 0xdbff) continue;
		const next = text.charCodeAt(index + 1);
		if (next >= 0xdc00 && next <= 0xdfff) {
			count--;
			index++;
		}
	}
	return count;
}

/** A text in Go's double quotes. */
export function quoted(text: string): string {
	let out = '"';
	for (const character of text) out += escapes.get(character) ?? visible(character);
	return `${out}"`;
}

const escapes = new Map([
	["\x07", "\\a"],
	["\b", "\\b"],
	["\f", "\\f"],
	["\n", "\\n"],
	["\r", "\\r"],
	["\t", "\\t"],
	["\v", "\\v"],
	["\\", "\\\\"],
	['"', '\\"'],
]);

function visible(character: string): string {
	const code = character.codePointAt(0) ?? 0;
	if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, "0")}`;
	if (!/[\p{C}\p{Z}]/u.test(character) || character === " ") return character;
	return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}
