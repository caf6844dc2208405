import { perCharacter } from "../cost/factors.ts";
import { multiplyRanges, scale, scaleRange } from "../cost/range.ts";
import { sizeOf } from "../cost/size.ts";
import { boolType, bytesType, intType, listType, mapType, stringType, typeParameter } from "../types/type.ts";
import { matchCost, matchEstimate } from "./costs.ts";
import { type FunctionDeclaration, global, member, type Overload } from "./function.ts";
import { patternFor } from "./pattern.ts";

/** Functions of strings that the language itself has, and `size`. */

const listOfA = listType(typeParameter("A"));
const mapOfAB = mapType(typeParameter("A"), typeParameter("B"));

/** `startsWith` and `endsWith` visit no more than what they look for. */
function affix(id: string, run: (text: string, affix: string) => boolean): Overload {
	return member(id, [stringType, stringType], boolType, run, {
		cost: { before: ([, part]) => scale(sizeOf(part), perCharacter) },
		estimate: (_, [argument]) => argument && { cost: scaleRange(argument.size, perCharacter) },
	});
}

function matches(text: string, pattern: string): boolean {
	return patternFor(pattern, text).test(text);
}

export const texts: readonly FunctionDeclaration[] = [
	{
		name: "size",
		run: sizeOf,
		overloads: [
			global("size_bytes", [bytesType], intType),
			member("bytes_size", [bytesType], intType),
			global("size_list", [listOfA], intType),
			member("list_size", [listOfA], intType),
			global("size_map", [mapOfAB], intType),
			member("map_size", [mapOfAB], intType),
			global("size_string", [stringType], intType),
			member("string_size", [stringType], intType),
		],
	},
	{
		name: "contains",
		overloads: [
			member(
				"contains_string",
				[stringType, stringType],
				boolType,
				(text: string, part: string) => text.includes(part),
				{
					cost: { before: ([text, part]) => scale(sizeOf(text), perCharacter) * scale(sizeOf(part), perCharacter) },
					estimate: (target, [part]) =>
						target &&
						part && {
							cost: multiplyRanges(scaleRange(target.size, perCharacter), scaleRange(part.size, perCharacter)),
						},
				},
			),
		],
	},
	{ name: "startsWith", overloads: [affix("starts_with_string", (text, start) => text.startsWith(start))] },
	{ name: "endsWith", overloads: [affix("ends_with_string", (text, end) => text.endsWith(end))] },
	{
		name: "matches",
		overloads: [
			global("matches", [stringType, stringType], boolType, matches),
			member("matches_string", [stringType, stringType], boolType, matches, {
				cost: { before: ([text, pattern]) => matchCost(sizeOf(text), sizeOf(pattern)) },
				estimate: (target, [pattern]) => target && pattern && { cost: matchEstimate(target.size, pattern.size) },
			}),
		],
	},
];
