import { newListCost, newMapCost } from "../cost/factors.ts";
import { addRanges, fixed, type Range, unionOfRanges } from "../cost/range.ts";
import type { LoopKind } from "../parse/syntax.ts";

/**
 * What a loop costs by upstream's estimate: as steps on an accumulator, which it names and adds to, besides the
 * expressions of the loop.
 */
export class LoopEstimate<E> {
	/** Of setting up and of reading the result. */
	readonly once: Range;
	readonly perItem: Range;
	readonly resultSize: "number" | "container";
	readonly entries: E | undefined;

	constructor(loop: LoopKind, filter: Range | undefined, body: Range, entries: E | undefined) {
		this.entries = entries;
		this.resultSize = loop === "all" || loop === "exists" || loop === "existsOne" ? "number" : "container";
		this.once = fixed(onceCosts[loop]);
		this.perItem = itemCost(loop, filter, body);
	}
}

/** A new list or map, and the name of the accumulator; `existsOne` compares it, too. */
const onceCosts: Readonly<Record<LoopKind, number>> = {
	all: 1,
	exists: 1,
	existsOne: 2,
	map: newListCost + 1,
	filter: newListCost + 1,
	transformList: newListCost + 1,
	transformMap: newMapCost + 1,
	transformMapEntry: newMapCost + 1,
};

function itemCost(loop: LoopKind, filter: Range | undefined, body: Range): Range {
	switch (loop) {
		case "all":
			return { min: 3, max: 3 + body.max };
		case "exists":
			return { min: 4, max: 4 + body.max };
		case "existsOne":
			return addRanges(body, { min: 1, max: 2 });
		case "filter":
			return addRanges(body, { min: 1, max: 3 + newListCost });
		case "map":
		case "transformList":
			return chosen(filter, addRanges(body, fixed(2 + newListCost)));
		case "transformMap":
			return chosen(filter, addRanges(body, fixed(3)));
		case "transformMapEntry":
			return chosen(filter, addRanges(body, fixed(2)));
	}
}

function chosen(filter: Range | undefined, step: Range): Range {
	return filter === undefined ? step : addRanges(filter, unionOfRanges(step, fixed(1)));
}
