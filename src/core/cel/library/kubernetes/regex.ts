import { sizeOf } from "../../cost/size.ts";
import { intType, listType, stringType } from "../../types/type.ts";
import type { Int } from "../../values/integers.ts";
import { matchCost, matchEstimate } from "../costs.ts";
import { type Cost, type Estimate, type FunctionDeclaration, member } from "../function.ts";
import { patternFor } from "../pattern.ts";

/** Kubernetes' functions of regular expressions. */

function matcherOf(text: string, pattern: string) {
	return patternFor(pattern, text, "Illegal regex: ").matcher(text);
}

function find(text: string, pattern: string): string {
	const matcher = matcherOf(text, pattern);
	return matcher.find() ? (matcher.group() ?? "") : "";
}

function findAll(text: string, pattern: string, count: Int = -1): string[] {
	const matcher = matcherOf(text, pattern);
	const found: string[] = [];
	while ((count < 0 || found.length < count) && matcher.find()) found.push(matcher.group() ?? "");
	return found;
}

const cost: Cost = { before: ([text, pattern]) => matchCost(sizeOf(text), sizeOf(pattern)) };

const estimate: Estimate = (target, [pattern]) =>
	target && pattern && { cost: matchEstimate(target.size, pattern.size), size: { min: 0, max: target.size.max } };

const texts = listType(stringType);

export const regex: readonly FunctionDeclaration[] = [
	{
		name: "find",
		cost,
		estimate,
		overloads: [member("string_find_string", [stringType, stringType], stringType, find)],
	},
	{
		name: "findAll",
		cost,
		estimate,
		overloads: [
			member("string_find_all_string", [stringType, stringType], texts, findAll),
			member("string_find_all_string_int", [stringType, stringType, intType], texts, findAll),
		],
	},
];
