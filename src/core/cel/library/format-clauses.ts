import { fail } from "../values/failure.ts";

/** A place in a format that takes a value: `%d`, `%.3f`. */
export interface Clause {
	readonly verb: "s" | "d" | "f" | "e" | "b" | "o" | "x" | "X";
	readonly precision: number | undefined;
	/** The number of its value. */
	readonly index: number;
	/** Which values it takes, for messages. */
	readonly takes: string;
}

const takes: Readonly<Record<Clause["verb"], string>> = {
	s: "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps",
	d: "decimal clause can only be used on integers",
	f: "fixed-point clause can only be used on doubles",
	e: "scientific clause can only be used on doubles",
	b: "only integers and bools can be formatted as binary",
	o: "octal clause can only be used on integers",
	x: "only integers, byte buffers, and strings can be formatted as hex",
	X: "only integers, byte buffers, and strings can be formatted as hex",
};

/** More decimals than any double has. */
const mostDecimals = 10_000;

/**
 * Literal texts and clauses of a format, in their order.
 * @param valueCount how many values there are
 * @throws Failure for what is no clause, and when there are too few values
 */
export function parseFormat(format: string, valueCount: number): (string | Clause)[] {
	const parts: (string | Clause)[] = [];
	let index = 0;
	let end = 0;
	for (let at = format.indexOf("%"); at >= 0; at = format.indexOf("%", end)) {
		parts.push(format.slice(end, at));
		if (format[at + 1] === "%") {
			parts.push("%");
			end = at + 2;
			continue;
		}
		if (index >= valueCount) fail(`index ${index} out of range`);
		if (at + 1 === format.length) fail("unexpected end of string");
		const { clause, length } = clauseAt(format.slice(at + 1), index);
		parts.push(clause);
		index++;
		end = at + 1 + length;
	}
	parts.push(format.slice(end));
	return parts;
}

/** How many values a format takes. */
export function clauseCount(parts: readonly (string | Clause)[]): number {
	return parts.filter((part) => typeof part !== "string").length;
}

function clauseAt(text: string, index: number): { clause: Clause; length: number } {
	const digits = text.startsWith(".") ? /^\.([0-9]*)/.exec(text) : null;
	const start = digits?.[0].length ?? 0;
	if (digits !== null) checkPrecision(text, digits[1] ?? "", start);
	const verb = text.charAt(start);
	if (!isVerb(verb)) return fail(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
	const precision = digits === null ? undefined : Number(digits[1]);
	return { clause: { verb, precision, index, takes: takes[verb] }, length: start + 1 };
}

function checkPrecision(text: string, digits: string, end: number): void {
	const problem = "could not parse formatting clause: error while parsing precision: ";
	if (end === text.length) fail(`${problem}could not find end of precision specifier`);
	if (digits === "")
		fail(`${problem}error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax`);
	if (Number(digits) > mostDecimals)
		fail(`${problem}precision ${digits} exceeds maximum allowed precision ${mostDecimals}`);
}

function isVerb(text: string): text is Clause["verb"] {
	return text !== "" && Object.hasOwn(takes, text);
}
