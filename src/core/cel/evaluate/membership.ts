import { callCost } from "../cost/factors.ts";
import type { Call } from "../parse/syntax.ts";
import { asMap, mapHas } from "../values/cel-map.ts";
import { noSuchOverload } from "../values/failure.ts";
import { equal } from "../values/value.ts";
import type { Builder } from "./builder.ts";
import { charge, type Evaluate } from "./frame.ts";

/** `item in list` and `key in map`. */
export function buildMembership(builder: Builder, node: Call): Evaluate {
	const [itemNode, containerNode] = node.arguments;
	if (itemNode === undefined || containerNode === undefined) throw new Error("a membership without operands");
	const item = builder.build(itemNode);
	const container = builder.build(containerNode);
	const { overloads } = builder.checked.resolutionOf(node);
	const isList = overloads.length === 1 && overloads[0]?.id === "in_list";
	const constant = isList ? builder.constantOf(containerNode)?.value : undefined;
	if (Array.isArray(constant) && constant.every(isText)) {
		// A list that is written out costs nothing to search, as upstream turns it into a set.
		const set = new Set<unknown>(constant);
		return (frame) => set.has(item(frame));
	}
	const isFree = Array.isArray(constant) && constant.every(isScalar);
	return (frame) => {
		const value = item(frame);
		const within = container(frame);
		if (!isFree) charge(frame, isList && Array.isArray(within) ? within.length : callCost);
		if (Array.isArray(within)) return contains(within, value);
		return mapHas(asMap(within) ?? noSuchOverload(), value);
	};
}

function isText(value: unknown): boolean {
	return typeof value === "string";
}

function isScalar(value: unknown): boolean {
	return typeof value !== "object" || value === null;
}

/** Whether a list has an equal item. */
export function contains(list: readonly unknown[], value: unknown): boolean {
	for (const item of list) if (equal(item, value)) return true;
	return false;
}
