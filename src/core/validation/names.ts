/**
 * Rules for names, labels and ports (Kubernetes documentation, "Object Names and IDs", "Labels and Selectors"). Every
 * check returns what is wrong, in the words clients know; an empty list means nothing is.
 */
import type { Random } from "../time/clock.ts";

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomain = `${label}(\\.${label})*`;
const qualified = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const labelValue = `(${qualified})?`;

const labelSyntax = new RegExp(`^${label}$`);
const subdomainSyntax = new RegExp(`^${subdomain}$`);
const qualifiedSyntax = new RegExp(`^${qualified}$`);
const labelValueSyntax = new RegExp(`^${labelValue}$`);

function tooLong(limit: number): string {
	return `must be no more than ${limit} bytes`;
}

/** Upstream's phrase for a broken pattern, with its examples. */
export function patternProblem(rule: string, pattern: string, ...examples: string[]): string {
	const list = examples.map((example) => `'${example}', `).join(" or ");
	return `${rule} (e.g. ${list}regex used for validation is '${pattern}')`;
}

const longestTested = 16_384;

function pattern(text: string, syntax: RegExp, limit: number, problem: string): string[] {
	const problems: string[] = [];
	if (text.length > limit) problems.push(tooLong(limit));
	// Of a text of megabytes it is enough that it is too long.
	if (text.length <= longestTested && !syntax.test(text)) problems.push(problem);
	return problems;
}

const labelProblem = patternProblem(
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
	label,
	"my-name",
	"123-abc",
);
const subdomainProblem = patternProblem(
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
	subdomain,
	"example.com",
);
const qualifiedRule =
	"must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const qualifiedProblem = patternProblem(qualifiedRule, qualified, "MyName", "my.name", "123-abc");
const labelValueProblem = patternProblem(
	"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
	labelValue,
	"MyValue",
	"my_value",
	"12345",
);

export const dnsLabelProblems = (text: string) => pattern(text, labelSyntax, 63, labelProblem);
export const dnsSubdomainProblems = (text: string) => pattern(text, subdomainSyntax, 253, subdomainProblem);
export const labelValueProblems = (text: string) => pattern(text, labelValueSyntax, 63, labelValueProblem);

const startingLabel = "[a-z]([-a-z0-9]*[a-z0-9])?";
const startingLabelSyntax = new RegExp(`^${startingLabel}$`);
const startingLabelProblem = patternProblem(
	"a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
	startingLabel,
	"my-name",
	"abc-123",
);

/** Names of Services, of resources and their versions. */
export const dns1035LabelProblems = (text: string) => pattern(text, startingLabelSyntax, 63, startingLabelProblem);

const underscoredSyntax = /^_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$/;
const underscoredProblem =
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, an underscore ('_'), '-' or '.', " +
	"and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is " +
	"'_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')";

/** Domains in which a resolver searches, SRV names among them (KEP-4427). */
export const searchDomainProblems = (text: string) => pattern(text, underscoredSyntax, 253, underscoredProblem);

/** Names that become a path segment of a URL (RBAC). */
export function pathSegmentProblems(text: string): string[] {
	if (text === "." || text === "..") return [`may not be '${text}'`];
	const problems: string[] = [];
	for (const part of ["/", "%"]) if (text.includes(part)) problems.push(`may not contain '${part}'`);
	return problems;
}

/** Keys of labels, annotations, taints: `name` or `dns.subdomain/name`. */
export function qualifiedNameProblems(text: string): string[] {
	const parts = text.split("/", 3);
	const problems: string[] = [];
	let name = text;
	if (parts.length === 2) {
		name = parts[1] ?? "";
		if (parts[0] === "") problems.push("prefix part must be non-empty");
		else problems.push(...dnsSubdomainProblems(parts[0] ?? "").map((problem) => `prefix part ${problem}`));
	} else if (parts.length > 2) {
		return [
			`a qualified name ${qualifiedProblem} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
		];
	}
	if (name === "") problems.push("name part must be non-empty");
	else if (name.length > 63) problems.push(`name part ${tooLong(63)}`);
	if (name.length <= longestTested && !qualifiedSyntax.test(name)) problems.push(`name part ${qualifiedProblem}`);
	return problems;
}

/** Keys of ConfigMaps and Secrets. */
export function configKeyProblems(text: string): string[] {
	const problems: string[] = [];
	if (text.length > 253) problems.push(tooLong(253));
	if (!/^[-._a-zA-Z0-9]+$/.test(text))
		problems.push(
			patternProblem(
				"a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
				"[-._a-zA-Z0-9]+",
				"key.name",
				"KEY_NAME",
				"key-name",
			),
		);
	if (text === ".") problems.push("must not be '.'");
	else if (text === "..") problems.push("must not be '..'");
	else if (text.startsWith("..")) problems.push("must not start with '..'");
	return problems;
}

/** Names of environment variables: any printable ASCII but `=`. */
export function environmentNameProblems(text: string): string[] {
	if (/^[ -<>-~]+$/.test(text)) return [];
	return [
		"a valid environment variable name must consist only of printable ASCII characters other than '='" +
			" (regex used for validation is '^[ -<>-~]+$')",
	];
}

const identifierProblem = patternProblem(
	"a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
	"[A-Za-z_][A-Za-z0-9_]*",
	"my_name",
	"MY_NAME",
	"MyName",
);

/** Names of attributes and capacities of devices. */
export const identifierProblems = (text: string) => (/^[A-Za-z_]\w*$/.test(text) ? [] : [identifierProblem]);

/** Names of ports: at most 15 of a-z, 0-9 and `-`, with a letter. */
export function portNameProblems(text: string): string[] {
	const problems: string[] = [];
	if (text.length > 15) problems.push("must be no more than 15 characters");
	if (!/^[-a-z0-9]+$/.test(text))
		problems.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
	if (!/[a-z]/.test(text)) problems.push("must contain at least one letter (a-z)");
	if (text.includes("--")) problems.push("must not contain consecutive hyphens");
	if (text.startsWith("-") || text.endsWith("-")) problems.push("must not begin or end with a hyphen");
	return problems;
}

export function portNumberProblems(port: number): string[] {
	return port >= 1 && port <= 65535 ? [] : ["must be between 1 and 65535, inclusive"];
}

/** What is wrong with an object's name, by the rule of its kind (`Kind.nameRule`). */
export const nameProblems: Readonly<Record<"dnsSubdomain" | "dnsLabel" | "pathSegment", (name: string) => string[]>> = {
	dnsSubdomain: dnsSubdomainProblems,
	dnsLabel: dnsLabelProblems,
	pathSegment: pathSegmentProblems,
};

/** No vowels and no digits that look like them: random names spell nothing. */
const alphabet = "bcdfghjklmnpqrstvwxz2456789";

/** `length` random characters of the alphabet that generated names use. */
export function randomSuffix(length: number, random: Random): string {
	let suffix = "";
	for (let index = 0; index < length; index++) suffix += alphabet[Math.floor(random() * alphabet.length)];
	return suffix;
}

/** A name from `metadata.generateName`: the prefix, cut to 58 characters, and five random ones. */
export function generateName(prefix: string, random: Random): string {
	return prefix.slice(0, 58) + randomSuffix(5, random);
}

/** Finalizers that Kubernetes itself sets go without a domain. */
const standardFinalizers: ReadonlySet<string> = new Set(["kubernetes", "orphan", "foregroundDeletion"]);

/** What is wrong with a qualified name as that of a finalizer: it must say who takes the finalizer away again. */
export function finalizerDomainProblems(name: string): string[] {
	if (name.includes("/") || standardFinalizers.has(name)) return [];
	return ["name is neither a standard finalizer name nor is it fully qualified"];
}
