import { asMap, mapGet, mapKeys } from "../values/cel-map.ts";
import { Duration } from "../values/duration.ts";
import { fail } from "../values/failure.ts";
import { doubleOf, isInt, typeNameOf } from "../values/kind.ts";
import { doubleText, quoted } from "../values/text.ts";
import { Timestamp } from "../values/timestamp.ts";
import { TypeValue, Uint } from "../values/value.ts";
import { checkTextLength, countWork } from "../values/work.ts";
import { exponentText, fixedText } from "./decimals.ts";
import { type Clause, parseFormat } from "./format-clauses.ts";

/** `text.format(list)`. @throws Failure for an invalid clause, or one that does not accept its argument */
export function formatText(format: string, values: readonly unknown[]): string {
	let text = "";
	for (const part of parseFormat(format, values.length)) {
		const added = typeof part === "string" ? part : clauseText(part, values[part.index]);
		countWork(added.length);
		checkTextLength(text.length + added.length);
		text += added;
	}
	return text;
}

function clauseText(clause: Clause, value: unknown): string {
	const text = texts[clause.verb](value, clause.precision);
	return text ?? fail(`error during formatting: ${clause.takes}, was given ${typeNameOf(value)}`);
}

const defaultPrecision = 6;

/** The text of a value; undefined when the clause does not take it. */
type Text = (value: unknown, precision: number | undefined) => string | undefined;

const texts: Readonly<Record<Clause["verb"], Text>> = {
	s: (value) => plainText(value),
	d: (value) => integerOf(value)?.toString(),
	f: (value, precision) => numberText(value, (number) => fixedText(number, precision ?? defaultPrecision)),
	e: (value, precision) => numberText(value, (number) => exponentText(number, precision ?? defaultPrecision)),
	b: (value) => (typeof value === "boolean" ? String(Number(value)) : integerOf(value)?.toString(2)),
	o: (value) => integerOf(value)?.toString(8),
	x: hexadecimal,
	X: (value) => hexadecimal(value)?.toUpperCase(),
};

function integerOf(value: unknown): bigint | undefined {
	if (isInt(value)) return BigInt(value);
	return value instanceof Uint ? value.value : undefined;
}

function hexadecimal(value: unknown): string | undefined {
	if (typeof value === "string") return Buffer.from(value).toString("hex");
	if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
	return integerOf(value)?.toString(16);
}

const specialNumbers: Readonly<Record<string, string>> = { NaN: "NaN", Infinity: "\u221e", "-Infinity": "-\u221e" };

/** Of a double, or of a text that stands for one that is no number. */
function numberText(value: unknown, text: (number: number) => string): string | undefined {
	if (typeof value === "string") return specialNumbers[value];
	const number = doubleOf(value);
	if (number === undefined) return undefined;
	return Number.isFinite(number) ? text(number) : specialNumbers[String(number)];
}

/** As `%s` writes it; undefined for values that it does not take. */
function plainText(value: unknown): string | undefined {
	if (typeof value === "string") return value;
	if (typeof value === "boolean" || value === null) return String(value);
	if (value instanceof Uint8Array) return Buffer.from(value).toString();
	if (value instanceof Timestamp || value instanceof Duration) return value.text();
	if (value instanceof TypeValue) return value.name;
	const integer = integerOf(value);
	if (integer !== undefined) return String(integer);
	const double = doubleOf(value);
	if (double !== undefined) return doubleText(double);
	return containerText(value);
}

function containerText(value: unknown): string | undefined {
	if (Array.isArray(value)) return joined("[", value.map(nestedText), "]");
	const map = asMap(value);
	if (map === undefined) return undefined;
	const entries = mapKeys(map).map((key) => `${nestedText(key)}:${nestedText(mapGet(map, key))}`);
	return joined("{", entries.sort(), "}");
}

/** A list or map may contain another one many times: the result is counted at each level. */
function joined(opening: string, parts: readonly string[], closing: string): string {
	let length = 2;
	for (const part of parts) length += part.length + 2;
	countWork(length);
	checkTextLength(length);
	return opening + parts.join(", ") + closing;
}

/** Within a list or a map: as a literal of the language. */
function nestedText(value: unknown): string {
	if (typeof value === "string") return quoted(value);
	if (value instanceof Uint8Array) return `b${quoted(Buffer.from(value).toString())}`;
	if (value instanceof Timestamp) return `timestamp(${quoted(value.text())})`;
	if (value instanceof Duration) return `duration(${quoted(value.text())})`;
	const double = doubleOf(value);
	if (double !== undefined)
		return Number.isFinite(double) ? fixedText(double, defaultPrecision, false) : quoted(doubleText(double));
	return plainText(value) ?? fail(`error during formatting: no formatting function for ${typeNameOf(value)}`);
}
