import { isPattern } from "../library/pattern.ts";
import { childrenOf } from "../parse/children.ts";
import type { Issue } from "../parse/issue.ts";
import type { Node } from "../parse/syntax.ts";
import { dynType, sameType, type Type, typeText, valueOfOptional } from "../types/type.ts";
import { parseDuration } from "../values/duration.ts";
import { Failure } from "../values/failure.ts";
import { isInt } from "../values/kind.ts";
import { parseTimestamp } from "../values/timestamp.ts";
import type { Checked } from "./checked.ts";
import { formatIssues } from "./formats.ts";

/** Mistakes in literals that types do not show. For trees whose types fit. */
export function literalIssues(checked: Checked): Issue[] {
	const issues: Issue[] = [];
	const visit = (node: Node, isFormat: boolean): void => {
		if (node.kind === "call") {
			argumentIssue(node.name, node.arguments[0], issues);
			issues.push(...formatIssues(checked, node));
		} else if (node.kind === "list" && !isFormat) mixedList(checked, node.items, issues);
		else if (node.kind === "map" && !isFormat) mixedMap(checked, node, issues);
		// Lists of arguments for a text may have several types, and so may what is in them.
		const within = isFormat || (node.kind === "call" && node.name === "format");
		for (const child of childrenOf(node)) visit(child, within);
	};
	visit(checked.root, false);
	return issues;
}

const literalChecks: Readonly<Record<string, (value: unknown) => boolean>> = {
	duration: (value) => typeof value !== "string" || parseDuration(value) !== undefined,
	timestamp: (value) =>
		typeof value === "string" ? isTimestamp(value) : !isInt(value) || isEpochSecond(Number(value)),
	matches: (value) => typeof value !== "string" || isPattern(value),
};

function isTimestamp(text: string): boolean {
	try {
		return parseTimestamp(text) !== undefined;
	} catch (error) {
		if (error instanceof Failure) return false;
		throw error;
	}
}

function isEpochSecond(value: number): boolean {
	return value >= -62135596800 && value <= 253402300799;
}

function argumentIssue(name: string, argument: Node | undefined, issues: Issue[]): void {
	const check = Object.hasOwn(literalChecks, name) ? literalChecks[name] : undefined;
	if (check === undefined || argument?.kind !== "literal" || check(argument.value)) return;
	issues.push({ at: argument.at, message: `invalid ${name} argument` });
}

type Items = Extract<Node, { kind: "list" }>["items"];

function mixedList(checked: Checked, items: Items, issues: Issue[]): void {
	let known: Type | undefined;
	for (const item of items) {
		const type = heldType(checked.typeOf(item.value), item.optional);
		if (known === undefined) known = type;
		else if (!sameType(known, type)) {
			issues.push(mismatch(item.value, known, type));
			return;
		}
	}
}

function mixedMap(checked: Checked, node: Extract<Node, { kind: "map" }>, issues: Issue[]): void {
	const [first, ...rest] = node.entries;
	if (first === undefined) return;
	const keyType = checked.typeOf(first.key);
	const valueType = heldType(checked.typeOf(first.value), first.optional);
	for (const entry of rest) {
		const [key, value] = [checked.typeOf(entry.key), heldType(checked.typeOf(entry.value), entry.optional)];
		if (!sameType(keyType, key)) issues.push(mismatch(entry.key, keyType, key));
		if (!sameType(valueType, value)) issues.push(mismatch(entry.value, valueType, value));
	}
}

function heldType(type: Type, optional: boolean): Type {
	return optional ? (valueOfOptional(type) ?? dynType) : type;
}

function mismatch(node: Node, expected: Type, found: Type): Issue {
	return { at: node.at, message: `expected type '${typeText(expected)}' but found '${typeText(found)}'` };
}
