import {
	dnsLabelProblems,
	dnsSubdomainProblems,
	labelValueProblems,
	qualifiedNameProblems,
} from "../../../validation/names.ts";
import { perCharacter, perPatternCharacter } from "../../cost/factors.ts";
import { scaleRange } from "../../cost/range.ts";
import { sizeOf } from "../../cost/size.ts";
import { listType, objectType, optionalType, stringType } from "../../types/type.ts";
import { daysIn } from "../../values/timestamp.ts";
import { LibraryValue, none, Optional } from "../../values/value.ts";
import { fixedCost, matchCost } from "../costs.ts";
import { type FunctionDeclaration, global, member } from "../function.ts";
import { parseUrl } from "./url-syntax.ts";

/** Formats of strings that Kubernetes names: `format.dns1123Label().validate(name)`. */

export const formatType = objectType("kubernetes.NamedFormat", { field: () => undefined });

class NamedFormat extends LibraryValue {
	readonly typeName = "kubernetes.NamedFormat";
	readonly name: string;
	/** How long upstream takes the pattern of it to be. */
	readonly patternLength: number;
	readonly problems: (text: string) => readonly string[];
	constructor(name: string, patternLength: number, problems: (text: string) => readonly string[]) {
		super();
		this.name = name;
		this.patternLength = patternLength;
		this.problems = problems;
	}
	equals(other: unknown): boolean {
		return other instanceof NamedFormat && other.name === this.name;
	}
	toString(): string {
		return this.name;
	}
}

const label1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const label1035Syntax = new RegExp(`^${label1035}$`);
const label1035Problem =
	"a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, " +
	"and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is " +
	`'${label1035}')`;

function dns1035LabelProblems(text: string): string[] {
	const problems = text.length > 63 ? ["must be no more than 63 characters"] : [];
	if (text.length > 10_000 || !label1035Syntax.test(text)) problems.push(label1035Problem);
	return problems;
}

/** As part of a name that gets a suffix, which may end in a dash. */
function asPrefix(problems: (text: string) => readonly string[]): (text: string) => readonly string[] {
	return (text) => problems(text.length > 1 && text.endsWith("-") ? `${text.slice(0, -2)}a` : text);
}

function matching(pattern: RegExp, problem: string): (text: string) => readonly string[] {
	return (text) => (pattern.test(text) ? [] : [problem]);
}

function isDate(text: string): boolean {
	const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
	if (match === null) return false;
	const [year = 0, month = 0, day = 0] = match.slice(1).map(Number);
	return month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
}

function isDateTime(text: string): boolean {
	const [date = "", time = "", ...rest] = text.toUpperCase().split("T");
	const match = /^(\d\d):(\d\d):(\d\d)(?:.\d+)?(?:Z|[+-]\d\d:\d\d)$/s.exec(time);
	if (match === null || rest.length > 0 || !isDate(date)) return false;
	const [hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
	return hour <= 23 && minute <= 59 && second <= 59;
}

/** Lengths of upstream's patterns for UUIDs, base64, URLs and times. */
const [uuidLength, base64Length, urlLength, timeLength] = [73, 84, 1103, 71];

const formats: ReadonlyMap<string, NamedFormat> = new Map([
	["dns1123Label", new NamedFormat("DNS1123Label", 30, dnsLabelProblems)],
	["dns1123Subdomain", new NamedFormat("DNS1123Subdomain", 60, dnsSubdomainProblems)],
	["dns1035Label", new NamedFormat("DNS1035Label", 30, dns1035LabelProblems)],
	["qualifiedName", new NamedFormat("QualifiedName", 60, qualifiedNameProblems)],
	["dns1123LabelPrefix", new NamedFormat("DNS1123LabelPrefix", 30, asPrefix(dnsLabelProblems))],
	["dns1123SubdomainPrefix", new NamedFormat("DNS1123SubdomainPrefix", 60, asPrefix(dnsSubdomainProblems))],
	["dns1035LabelPrefix", new NamedFormat("DNS1035LabelPrefix", 30, asPrefix(dns1035LabelProblems))],
	["labelValue", new NamedFormat("LabelValue", 40, labelValueProblems)],
	["uri", new NamedFormat("URI", urlLength, uriProblems)],
	[
		"uuid",
		new NamedFormat(
			"uuid",
			uuidLength,
			matching(/^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i, "does not match the UUID format"),
		),
	],
	[
		"byte",
		new NamedFormat(
			"byte",
			base64Length,
			matching(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/, "invalid base64"),
		),
	],
	["date", new NamedFormat("date", timeLength, (text) => (isDate(text) ? [] : ["invalid date"]))],
	["datetime", new NamedFormat("datetime", timeLength, (text) => (isDateTime(text) ? [] : ["invalid datetime"]))],
]);

function uriProblems(text: string): string[] {
	const parsed = parseUrl(text);
	return typeof parsed === "string" ? [`parse ${JSON.stringify(text)}: ${parsed}`] : [];
}

function validate(format: NamedFormat, text: string): Optional {
	const problems = format.problems(text);
	return problems.length === 0 ? none : new Optional(problems);
}

function named(name: string): Optional {
	const format = formats.get(name);
	return format === undefined ? none : new Optional(format);
}

/** What estimates take the patterns of all formats to be. */
const longestPattern = 128;

export const namedFormats: readonly FunctionDeclaration[] = [
	...Array.from(formats, ([name, format]): FunctionDeclaration => {
		const full = `format.${name}`;
		return { name: full, overloads: [global(full, [], formatType, () => format)] };
	}),
	{
		name: "format.named",
		...fixedCost(1),
		overloads: [global("format-named", [stringType], optionalType(formatType), named)],
	},
	{
		name: "validate",
		overloads: [
			member("format-validate", [formatType, stringType], optionalType(listType(stringType)), validate, {
				cost: {
					before: ([format, text]) =>
						matchCost(sizeOf(text), format instanceof NamedFormat ? format.patternLength : longestPattern),
				},
				estimate: (_, [text]) =>
					text && {
						cost: scaleRange(scaleRange(text.size, perCharacter), longestPattern * perPatternCharacter),
					},
			}),
		],
	},
];
