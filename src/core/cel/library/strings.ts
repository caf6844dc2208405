import { perCharacter } from "../cost/factors.ts";
import { type Range, scaleRange, unbounded } from "../cost/range.ts";
import { sizeOf } from "../cost/size.ts";
import { dynType, intType, listType, stringType } from "../types/type.ts";
import { fail } from "../values/failure.ts";
import type { Int } from "../values/integers.ts";
import { isInt, typeNameOf } from "../values/kind.ts";
import { codePointCount } from "../values/text.ts";
import { checkTextLength, countWork } from "../values/work.ts";
import { searchesFirst, transformsFirst, visitsFirst } from "./costs.ts";
import { formatText } from "./format.ts";
import { type Cost, type Estimate, type FunctionDeclaration, global, member } from "./function.ts";

/** The strings library at version 2. Positions and sizes count code points. */

const surrogate = /[\ud800-\udfff]/;

/** A string by its characters. Strings without surrogates, which are nearly all, are it already. */
function charactersOf(text: string): string | readonly string[] {
	return surrogate.test(text) ? [...text] : text;
}

function joined(characters: string | readonly string[]): string {
	return typeof characters === "string" ? characters : characters.join("");
}

function charAt(text: string, index: Int): string {
	const characters = charactersOf(text);
	if (index < 0 || index > characters.length) fail(`index out of range: ${index}`);
	return characters[Number(index)] ?? "";
}

function indexOf(text: string, part: string, offset: Int = 0): number {
	if (offset < 0) fail(`index out of range: ${offset}`);
	const characters = charactersOf(text);
	if (part === "") return Math.min(Number(offset), characters.length);
	if (typeof characters === "string") return characters.indexOf(part, Number(offset));
	const found = text.indexOf(part, characters.slice(0, Number(offset)).join("").length);
	return found < 0 ? -1 : codePointCount(text.slice(0, found));
}

function lastIndexOf(text: string, part: string): number {
	if (part === "") return codePointCount(text);
	const found = text.lastIndexOf(part);
	return found < 0 ? -1 : codePointCount(text.slice(0, found));
}

function lastIndexBefore(text: string, part: string, offset: Int): number {
	if (offset < 0) fail(`index out of range: ${offset}`);
	const characters = charactersOf(text);
	if (part === "") return Math.min(Number(offset), characters.length);
	if (offset >= characters.length) return -1;
	if (typeof characters === "string") return characters.lastIndexOf(part, Number(offset));
	const found = text.lastIndexOf(part, characters.slice(0, Number(offset)).join("").length);
	return found < 0 ? -1 : codePointCount(text.slice(0, found));
}

function replace(text: string, old: string, replacement: string, count: Int = -1): string {
	if (count === 0 || old === replacement) return text;
	const most = count < 0 ? Number.POSITIVE_INFINITY : Number(count);
	const parts = old === "" ? ["", ...text] : text.split(old);
	if (old === "" && most > parts.length) parts.push("");
	const replaced = Math.min(most, parts.length - 1);
	const length = text.length + replaced * (replacement.length - old.length);
	checkTextLength(length);
	countWork(length);
	const head = parts.slice(0, replaced + 1).join(replacement);
	return replaced === parts.length - 1 ? head : [head, ...parts.slice(replaced + 1)].join(old);
}

function split(text: string, separator: string, count: Int = -1): string[] {
	if (count === 0) return [];
	const parts = separator === "" ? [...text] : text.split(separator);
	if (count < 0 || parts.length <= count) return parts;
	const head = parts.slice(0, Number(count) - 1);
	return [...head, parts.slice(Number(count) - 1).join(separator)];
}

function substring(text: string, start: Int, end?: Int): string {
	const characters = charactersOf(text);
	const last = end ?? characters.length;
	if (end !== undefined && start > end) fail(`invalid substring range. start: ${start}, end: ${end}`);
	for (const index of [start, last]) if (index < 0 || index > characters.length) fail(`index out of range: ${index}`);
	return joined(characters.slice(Number(start), Number(last)));
}

const blanks: ReadonlySet<string> = new Set(
	"\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000",
);

/** Without what Unicode calls white space around it, which is not quite what JavaScript trims. */
function trim(text: string): string {
	let [start, end] = [0, text.length];
	while (start < end && blanks.has(text.charAt(start))) start++;
	while (end > start && blanks.has(text.charAt(end - 1))) end--;
	return text.slice(start, end);
}

const quoteEscapes: Readonly<Record<string, string>> = {
	"\x07": "\\a",
	"\b": "\\b",
	"\f": "\\f",
	"\n": "\\n",
	"\r": "\\r",
	"\t": "\\t",
	"\v": "\\v",
	"\\": "\\\\",
	'"': '\\"',
};

const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

function quote(text: string): string {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is escaped
	return `"${text.replace(loneSurrogate, "\ufffd").replace(/[\x07-\r\\"]/g, (character) => quoteEscapes[character] ?? character)}"`;
}

function join(list: readonly unknown[], separator = ""): string {
	let length = separator.length * list.length;
	for (const item of list)
		length += typeof item === "string" ? item.length : fail(`join: invalid input: ${typeNameOf(item)}`);
	checkTextLength(length);
	return list.join(separator);
}

const visit = transformsFirst();
const visitTwice = visitsFirst(2);

const replaceEstimate: Estimate = (target, [old, replacement]) => {
	if (target === undefined || old === undefined || replacement === undefined) return undefined;
	const cost = scaleRange(target.size, 2 * perCharacter);
	return { cost, size: replacedSize(target.size, old.size, replacement.size) };
};

/** From the fewest and shortest replacements to the most and longest ones. */
function replacedSize(text: Range, old: Range, replacement: Range): Range {
	const count = { min: 0, max: 0 };
	const kept = { min: 0, max: 0 };
	if (old.min === 0) [count.max, kept.max] = [text.max + 1, text.max];
	else if (replacement.max <= old.min) kept.max = text.max;
	else count.max = Math.ceil(text.max / old.min);
	if (old.max === 0) [count.min, kept.min] = [text.min + 1, text.min];
	else if (old.max <= replacement.min) kept.min = text.min;
	else count.min = Math.ceil(text.min / old.max);
	return {
		min: Math.min(count.min * replacement.min + kept.min, unbounded),
		max: Math.min(count.max * replacement.max + kept.max, unbounded),
	};
}

const splitEstimate: Estimate = (target, [, count]) => {
	if (target === undefined) return undefined;
	const most = count !== undefined && isInt(count.literal) ? Number(count.literal) : target.size.max;
	return { cost: scaleRange(target.size, 2 * perCharacter), size: { min: 0, max: most < 0 ? unbounded : most } };
};

const joinCost: Cost = { after: (_, result) => Math.ceil(sizeOf(result) * 2 * perCharacter) };

const joinEstimate: Estimate = (target, [separator]) => {
	if (target === undefined) return undefined;
	const separators = separator?.size ?? { min: 0, max: 0 };
	const between = (count: number) => Math.max(0, count - 1);
	const size = {
		min: target.size.min * target.itemSize.min + separators.min * between(target.size.min),
		max: Math.min(target.size.max * target.itemSize.max + separators.max * between(target.size.max), unbounded),
	};
	return { cost: scaleRange(size, perCharacter), size };
};

const texts = listType(stringType);

export const strings: readonly FunctionDeclaration[] = [
	{ name: "charAt", overloads: [member("string_char_at_int", [stringType, intType], stringType, charAt)] },
	{
		name: "indexOf",
		...searchesFirst,
		overloads: [
			member("string_index_of_string", [stringType, stringType], intType, indexOf),
			member("string_index_of_string_int", [stringType, stringType, intType], intType, indexOf),
		],
	},
	{
		name: "lastIndexOf",
		...searchesFirst,
		overloads: [
			member("string_last_index_of_string", [stringType, stringType], intType, lastIndexOf),
			member("string_last_index_of_string_int", [stringType, stringType, intType], intType, lastIndexBefore),
		],
	},
	{
		name: "lowerAscii",
		...visit,
		overloads: [
			member("string_lower_ascii", [stringType], stringType, (text: string) =>
				text.replace(/[A-Z]+/g, (part) => part.toLowerCase()),
			),
		],
	},
	{
		name: "upperAscii",
		...visit,
		overloads: [
			member("string_upper_ascii", [stringType], stringType, (text: string) =>
				text.replace(/[a-z]+/g, (part) => part.toUpperCase()),
			),
		],
	},
	{
		name: "replace",
		cost: visitTwice.cost,
		estimate: replaceEstimate,
		overloads: [
			member("string_replace_string_string", [stringType, stringType, stringType], stringType, replace),
			member("string_replace_string_string_int", [stringType, stringType, stringType, intType], stringType, replace),
		],
	},
	{
		name: "split",
		cost: visitTwice.cost,
		estimate: splitEstimate,
		overloads: [
			member("string_split_string", [stringType, stringType], texts, split),
			member("string_split_string_int", [stringType, stringType, intType], texts, split),
		],
	},
	{
		name: "substring",
		...visit,
		overloads: [
			member("string_substring_int", [stringType, intType], stringType, substring),
			member("string_substring_int_int", [stringType, intType, intType], stringType, substring),
		],
	},
	{ name: "trim", ...visit, overloads: [member("string_trim", [stringType], stringType, trim)] },
	{
		name: "format",
		overloads: [
			member("string_format", [stringType, listType(dynType)], stringType, formatText, {
				cost: visitsFirst().cost,
				estimate: (target) => target && { cost: scaleRange(target.size, perCharacter) },
			}),
		],
	},
	{
		name: "strings.quote",
		overloads: [
			global("strings_quote", [stringType], stringType, quote, {
				cost: visitsFirst().cost,
				estimate: (_, [text]) =>
					text && {
						cost: scaleRange(text.size, perCharacter),
						size: { min: text.size.min + 2, max: text.size.max * 2 + 2 },
					},
			}),
		],
	},
	{
		name: "join",
		cost: joinCost,
		estimate: joinEstimate,
		overloads: [
			member("list_join", [texts], stringType, join),
			member("list_join_string", [texts, stringType], stringType, join),
		],
	},
];
