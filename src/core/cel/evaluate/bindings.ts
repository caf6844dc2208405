import { newListCost } from "../cost/factors.ts";
import { selfComparison } from "../cost/size.ts";
import type { Binding } from "../parse/syntax.ts";
import { noSuchOverload } from "../values/failure.ts";
import { sortByKeys } from "../values/sorting.ts";
import { none, Optional } from "../values/value.ts";
import type { Builder } from "./builder.ts";
import { charge, type Evaluate } from "./frame.ts";

/** Macros that name a value: `optMap`, `optFlatMap`, `sortBy` and `cel.bind`. */
export function buildBinding(builder: Builder, node: Binding): Evaluate {
	const operand = builder.build(node.operand);
	return builder.withVariables([node.variable], ([place = 0]) => {
		const body = builder.build(node.body);
		switch (node.macro) {
			case "bind":
				return named(operand, place, body);
			case "sortBy":
				return sorted(operand, place, body);
			default:
				return mapped(operand, place, body, node.macro);
		}
	});
}

/** Upstream writes it as a loop over an empty list, which costs as much. */
function named(operand: Evaluate, place: number, body: Evaluate): Evaluate {
	return (frame) => {
		frame.locals[place] = operand(frame);
		charge(frame, newListCost);
		return body(frame);
	};
}

function mapped(operand: Evaluate, place: number, body: Evaluate, macro: "optMap" | "optFlatMap"): Evaluate {
	return (frame) => {
		const before = frame.cost;
		const optional = operand(frame);
		if (!(optional instanceof Optional)) return noSuchOverload();
		if (optional.value === undefined) {
			frame.cost += 2;
			return none;
		}
		// Upstream asks for the operand twice: whether it has a value, and which.
		charge(frame, frame.cost - before + (macro === "optMap" ? 3 : 2));
		frame.locals[place] = optional.value;
		const value = body(frame);
		return macro === "optMap" ? new Optional(value) : value;
	};
}

function sorted(operand: Evaluate, place: number, body: Evaluate): Evaluate {
	return (frame) => {
		const list = operand(frame);
		if (!Array.isArray(list)) return noSuchOverload();
		const keys = list.map((item) => {
			frame.locals[place] = item;
			const key = body(frame);
			charge(frame, 2 + newListCost);
			return key;
		});
		charge(frame, 3 + selfComparison(keys));
		return sortByKeys(list, keys);
	};
}
