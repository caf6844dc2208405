/** Label selectors (Kubernetes documentation, "Labels and Selectors"). */
import { ApiError } from "../errors.ts";
import { lookup } from "../object.ts";
import { shortened } from "../shown.ts";

export type Labels = Readonly<Record<string, string>>;

/** `meta/v1 LabelSelector`, as in the specs of kinds. */
export interface LabelSelector {
	readonly matchLabels?: Labels;
	readonly matchExpressions?: readonly {
		readonly key: string;
		readonly operator: string;
		readonly values?: readonly string[];
	}[];
}

export type Operator = "=" | "!=" | "in" | "notin" | "exists" | "!" | ">" | "<";

export interface Requirement {
	readonly key: string;
	readonly operator: Operator;
	/** Sorted; one for `=`, `!=`, `>` and `<`, none for `exists` and `!`. */
	readonly values: readonly string[];
}

export interface Selector {
	/** Sorted by key. */
	readonly requirements: readonly Requirement[];
	/** Whether it selects all objects. */
	readonly everything: boolean;
	matches(labels: Labels | undefined): boolean;
	/** The form of the query parameter, which `parseLabelSelector` reads: `app=web,tier in (a,b),!canary`. */
	toString(): string;
}

const noLabels: Labels = {};

function meets(requirement: Requirement, labels: Labels): boolean {
	const value = Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
	switch (requirement.operator) {
		case "=":
			return value === requirement.values[0];
		case "in":
			return value !== undefined && includes(requirement.values, value);
		case "!=":
		case "notin":
			return value === undefined || !includes(requirement.values, value);
		case "exists":
			return value !== undefined;
		case "!":
			return value === undefined;
		default: {
			if (value === undefined || !/^-?[0-9]{1,19}$/.test(value)) return false;
			const difference = BigInt(value) - BigInt(requirement.values[0] ?? "0");
			return requirement.operator === ">" ? difference > 0n : difference < 0n;
		}
	}
}

/** Searches long lists in halves; `values` are sorted. */
function includes(values: readonly string[], value: string): boolean {
	if (values.length <= 8) return values.includes(value);
	let [low, high] = [0, values.length];
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((values[middle] ?? "") < value) low = middle + 1;
		else high = middle;
	}
	return values[low] === value;
}

function requirementText({ key, operator, values }: Requirement): string {
	switch (operator) {
		case "in":
		case "notin":
			return `${key} ${operator} (${values.join(",")})`;
		case "exists":
			return key;
		case "!":
			return `!${key}`;
		default:
			return `${key}${operator}${values[0]}`;
	}
}

function selectorOf(unordered: Requirement[]): Selector {
	const requirements = unordered.sort((left, right) => (left.key < right.key ? -1 : left.key > right.key ? 1 : 0));
	return {
		requirements,
		everything: requirements.length === 0,
		matches: requirements.length > fewRequirements ? matchesMany(requirements) : matchesFew(requirements),
		toString: () => requirements.map(requirementText).join(","),
	};
}

/** Objects have few labels: with more requirements than this, only those for the labels of an object are evaluated. */
const fewRequirements = 8;

function matchesFew(requirements: readonly Requirement[]): Selector["matches"] {
	return (labels) => {
		for (const requirement of requirements) if (!meets(requirement, labels ?? noLabels)) return false;
		return true;
	};
}

function matchesMany(requirements: readonly Requirement[]): Selector["matches"] {
	const byKey = new Map<string, Requirement[]>();
	/** Keys that an object needs to match. */
	const needed = new Set<string>();
	for (const requirement of requirements) {
		const { key } = requirement;
		const others = byKey.get(key);
		if (others === undefined) byKey.set(key, [requirement]);
		else others.push(requirement);
		if (!meets(requirement, noLabels)) needed.add(key);
	}
	return (labels = noLabels) => {
		let neededCount = 0;
		for (const key of Object.keys(labels)) {
			for (const requirement of byKey.get(key) ?? []) if (!meets(requirement, labels)) return false;
			if (needed.has(key)) neededCount++;
		}
		return neededCount === needed.size;
	};
}

/** Selects all objects. */
const selectsEverything: Selector = selectorOf([]);

/** Selects no object. */
export const selectsNothing: Selector = {
	requirements: [],
	everything: false,
	matches: () => false,
	toString: () => "<none>",
};

const operatorNames: Readonly<Record<string, Operator>> = lookup({
	In: "in",
	NotIn: "notin",
	Exists: "exists",
	DoesNotExist: "!",
});
/** Selectors of frozen specs, which controllers evaluate again in every pass. */
const known = new WeakMap<LabelSelector, Selector>();

/**
 * The selector of a workload's spec: undefined selects nothing, an empty selector everything.
 * @throws ApiError BadRequest for an unknown operator, which validation rejects earlier
 */
export function selectorFrom(labelSelector: LabelSelector | undefined): Selector {
	if (labelSelector === undefined || labelSelector === null) return selectsNothing;
	const found = known.get(labelSelector);
	if (found !== undefined) return found;
	const requirements: Requirement[] = Object.entries(labelSelector.matchLabels ?? {}).map(([key, value]) => ({
		key,
		operator: "=",
		values: [value],
	}));
	for (const { key, operator, values } of labelSelector.matchExpressions ?? []) {
		const named = operatorNames[operator];
		if (named === undefined) throw new ApiError("BadRequest", `"${operator}" is not a valid label selector operator`);
		requirements.push({ key, operator: named, values: [...(values ?? [])].sort() });
	}
	const selector = selectorOf(requirements);
	if (Object.isFrozen(labelSelector)) known.set(labelSelector, selector);
	return selector;
}

/**
 * The selector of a plain map of labels, as in ReplicationControllers and Services: undefined and an empty map select
 * nothing.
 */
export function selectorFromLabels(labels: Labels | undefined): Selector {
	if (labels === undefined || Object.keys(labels).length === 0) return selectsNothing;
	return selectorOf(Object.entries(labels).map(([key, value]) => ({ key, operator: "=", values: [value] })));
}

/** The limit for label and for field selectors: each requirement is evaluated for every object. */
export const mostRequirements = 256;
/** The limit for the lists of all requirements together: sorting more takes the time of many requests. */
const mostValues = 10_000;

const token = /\s*(,|\(|\)|==|=|!=|!|>|<|[^\s,()=!<>]+)/y;

/**
 * Reads the `labelSelector` query parameter: `app=web,tier in (a,b),!canary,weight>3`. An empty text selects
 * everything.
 * @throws ApiError BadRequest with upstream's message if it cannot be parsed
 */
export function parseLabelSelector(text: string): Selector {
	if (text.trim() === "") return selectsEverything;
	const tokens: string[] = [];
	token.lastIndex = 0;
	const { length } = text.trimEnd();
	while (token.lastIndex < length) {
		const match = token.exec(text);
		if (match?.[1] === undefined)
			throw unreadable(`found '${shortened(text.slice(token.lastIndex))}', expected: identifier`);
		tokens.push(match[1]);
	}
	const requirements: Requirement[] = [];
	if (tokens.length > 2 * (mostValues + mostRequirements))
		throw new ApiError("BadRequest", `a selector may not have more than ${mostValues} values`);
	let position = 0;
	while (position < tokens.length) {
		const { requirement, next } = readRequirement(tokens, position);
		requirements.push(requirement);
		position = next;
		if (requirements.length > mostRequirements)
			throw new ApiError("BadRequest", `a selector may not have more than ${mostRequirements} requirements`);
		if (position === tokens.length) break;
		if (tokens[position] !== ",") throw unreadable(`found '${tokens[position]}', expected: ',' or 'end of string'`);
		position++;
		if (position === tokens.length) throw unreadable("found '', expected: identifier after ','");
	}
	return selectorOf(requirements);
}

const isWord = (text: string | undefined): text is string =>
	text !== undefined && !/^(,|\(|\)|==|=|!=|!|>|<)$/.test(text);

function readRequirement(tokens: readonly string[], start: number): { requirement: Requirement; next: number } {
	let position = start;
	const negated = tokens[position] === "!";
	if (negated) position++;
	const key = tokens[position++];
	if (!isWord(key)) throw unreadable(`found '${key ?? ""}', expected: !, identifier, or 'end of string'`);
	const operator = tokens[position];
	if (negated || operator === undefined || operator === ",")
		return { requirement: { key, operator: negated ? "!" : "exists", values: [] }, next: position };
	position++;
	if (operator === "in" || operator === "notin") {
		const values: string[] = [];
		if (tokens[position] !== "(") throw unreadable(`found '${tokens[position] ?? ""}' expected: '('`);
		position++;
		// `in (a,,b)` and `in ()` name the empty value.
		let pending = "";
		for (; ; position++) {
			const next = tokens[position];
			if (next === undefined) throw unreadable(`found '', expected: ',' or ')'`);
			if (isWord(next)) pending = next;
			else if (next === "," || next === ")") {
				values.push(pending);
				pending = "";
				if (next === ")") break;
			} else throw unreadable(`found '${next}', expected: ',' or ')'`);
		}
		return { requirement: { key, operator, values: [...new Set(values)].sort() }, next: position + 1 };
	}
	if (!["=", "==", "!=", ">", "<"].includes(operator))
		throw unreadable(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`);
	const value = tokens[position];
	const values = isWord(value) ? [value] : [""];
	if (isWord(value)) position++;
	if ((operator === ">" || operator === "<") && !/^-?[0-9]{1,19}$/.test(values[0] ?? ""))
		throw unreadable(`for 'Gt', 'Lt' operators, the value must be an integer`);
	// The check above leaves only operators of the type, apart from `==`, which is replaced.
	return { requirement: { key, operator: (operator === "==" ? "=" : operator) as Operator, values }, next: position };
}

function unreadable(why: string): ApiError {
	return new ApiError("BadRequest", `unable to parse requirement: ${shortened(why)}`);
}
