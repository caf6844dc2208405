import { perCharacter, perPatternCharacter } from "../cost/factors.ts";
import { addRanges, fixed, multiplyRanges, one, type Range, scale, scaleRange } from "../cost/range.ts";
import { deepTraversal, sizeOf } from "../cost/size.ts";
import type { Cost, Estimate } from "./function.ts";

/** Costs that many functions have. */

export interface CostOfFunction {
	readonly cost: Cost;
	readonly estimate: Estimate;
}

/** The same for each call. */
export function fixedCost(cost: number): CostOfFunction {
	return { cost: { before: () => cost }, estimate: () => ({ cost: fixed(cost) }) };
}

/** Visits its first argument, the target of a member call, this many times. */
export function visitsFirst(times = 1): CostOfFunction {
	const factor = times * perCharacter;
	return {
		cost: { before: ([first]) => scale(sizeOf(first), factor) },
		estimate: (target, [first]) => {
			const size = (target ?? first)?.size;
			return size && { cost: scaleRange(size, factor) };
		},
	};
}

/** As `visitsFirst`, with a result that is as large as what it visits. */
export function transformsFirst(times = 1): CostOfFunction {
	const { cost, estimate } = visitsFirst(times);
	return {
		cost,
		estimate: (target, args) => {
			const estimated = estimate(target, args);
			return estimated && { cost: estimated.cost, size: (target ?? args[0])?.size };
		},
	};
}

/** Matches a pattern against a text: in the time that both together take. */
export function matchCost(textLength: number, patternLength: number): number {
	return scale(1 + textLength, perCharacter) * scale(patternLength, perPatternCharacter);
}

export function matchEstimate(text: Range, pattern: Range): Range {
	// One more character, so that an empty text still costs what the pattern does.
	const visits = scaleRange(addRanges(text, one), perCharacter);
	return multiplyRanges(visits, scaleRange(pattern, perPatternCharacter));
}

/** Looks at each item of a list, or each character of a string, which is its first argument. */
export const searchesFirst: CostOfFunction = {
	cost: { before: ([first]) => deepTraversal(first) },
	estimate: (target) => {
		if (target === undefined) return undefined;
		if (target.type.kind !== "list") return { cost: scaleRange(target.size, perCharacter) };
		const item = target.type.parameters[0]?.kind;
		const isText = item === "string" || item === "bytes";
		const perItem = isText ? addRanges(one, scaleRange(target.itemSize, perCharacter)) : one;
		return { cost: multiplyRanges(target.size, perItem) };
	},
};
