/** Field selectors (Kubernetes documentation, "Field Selectors"). */
import { ApiError } from "../errors.ts";
import { shortened } from "../shown.ts";
import { mostRequirements } from "./selector.ts";

export interface FieldRequirement {
	readonly path: string;
	readonly operator: "=" | "!=";
	readonly value: string;
}

export interface FieldSelector {
	readonly requirements: readonly FieldRequirement[];
	readonly everything: boolean;
	/** @param fieldValue returns the value of one of the object's fields, "" if it has none */
	matches(fieldValue: (path: string) => string): boolean;
	toString(): string;
}

/**
 * Reads the `fieldSelector` query parameter: `status.phase!=Running,spec.nodeName=node-1`; values escape
 * `,`, `=` and `\` with a backslash. The caller checks whether the kind has the fields.
 * @throws ApiError BadRequest with upstream's message if it cannot be parsed
 */
export function parseFieldSelector(text: string): FieldSelector {
	const requirements: FieldRequirement[] = [];
	const terms = splitTerms(text);
	if (terms.length > mostRequirements)
		throw new ApiError("BadRequest", `a selector may not have more than ${mostRequirements} requirements`);
	for (const term of terms) {
		const match = /^([^=!]*)(==|!=|=)(.*)$/s.exec(term);
		const value = match?.[3] ?? "";
		if (match === null || /(^|[^\\])(\\\\)*=/.test(value))
			throw new ApiError("BadRequest", `invalid selector: '${shortened(text)}'; can't understand '${shortened(term)}'`);
		requirements.push({
			path: (match[1] ?? "").trim(),
			operator: match[2] === "!=" ? "!=" : "=",
			value: value.replace(/\\([\\,=])/g, "$1"),
		});
	}
	return fieldSelector(requirements);
}

export function fieldSelector(requirements: readonly FieldRequirement[]): FieldSelector {
	return {
		requirements,
		everything: requirements.length === 0,
		matches: matchesFields(requirements),
		toString: () =>
			requirements
				.map(({ path, operator, value }) => `${path}${operator}${value.replace(/[\\,=]/g, "\\$&")}`)
				.join(","),
	};
}

/** Objects have few selectable fields: each is read once, however many requirements name it. */
function matchesFields(requirements: readonly FieldRequirement[]): FieldSelector["matches"] {
	const paths = new Map<string, { wanted: Set<string>; unwanted: Set<string> }>();
	for (const { path, operator, value } of requirements) {
		const found = paths.get(path) ?? { wanted: new Set(), unwanted: new Set() };
		paths.set(path, found);
		(operator === "=" ? found.wanted : found.unwanted).add(value);
	}
	return (fieldValue) => {
		for (const [path, { wanted, unwanted }] of paths) {
			// No value equals two.
			if (wanted.size > 1) return false;
			const value = fieldValue(path);
			if ((wanted.size === 1 && !wanted.has(value)) || unwanted.has(value)) return false;
		}
		return true;
	};
}

/** The non-empty parts between commas, where a backslash escapes a comma. */
function splitTerms(text: string): string[] {
	const terms: string[] = [];
	let start = 0;
	for (let index = 0; index <= text.length; index++) {
		if (text[index] === "\\") index++;
		else if (index === text.length || text[index] === ",") {
			if (index > start) terms.push(text.slice(start, index));
			start = index + 1;
		}
	}
	if (start < text.length) terms.push(text.slice(start));
	return terms;
}
