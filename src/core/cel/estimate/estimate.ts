import type { Checked } from "../check/checked.ts";
import { accessCost, callCost, newListCost, newMapCost, newObjectCost } from "../cost/factors.ts";
import {
	addRanges,
	fixed,
	multiplyRanges,
	one,
	type Range,
	unbounded,
	unionOfRanges,
	unknownRange,
	zero,
} from "../cost/range.ts";
import type { CallEstimate } from "../library/function.ts";
import type { Binding, Call, Comprehension, Node, Select } from "../parse/syntax.ts";
import { type EntrySizes, KnownSizes, type Variable } from "./known-sizes.ts";
import { LoopEstimate } from "./loops.ts";
import type { SizeBounds } from "./sizes.ts";

/**
 * What an evaluation may cost, from the least to the most, by the sizes that a schema allows. As upstream estimates it:
 * definitions are refused by the result.
 */
export function estimate(checked: Checked, bounds: SizeBounds): Range {
	return new Estimator(checked, bounds).cost(checked.root);
}

class Estimator {
	private readonly checked: Checked;
	private readonly known: KnownSizes;

	constructor(checked: Checked, bounds: SizeBounds) {
		this.checked = checked;
		this.known = new KnownSizes(checked, bounds);
	}

	cost(node: Node): Range {
		switch (node.kind) {
			case "literal":
				return zero;
			case "identifier":
				return this.identifier(node, node.name);
			case "select":
				return this.select(node);
			case "call":
				return this.call(node);
			case "logic": {
				const costs = node.terms.map((term) => this.cost(term));
				return { min: costs[0]?.min ?? 0, max: addRanges(...costs).max };
			}
			case "list": {
				const costs = node.items.map((item) => this.cost(item.value));
				this.known.entries.set(node, { isList: true, key: one, value: this.known.sizeOfItems(node.items) });
				return addRanges(...costs, fixed(newListCost));
			}
			case "map": {
				const costs = node.entries.flatMap((entry) => [this.cost(entry.key), this.cost(entry.value)]);
				const keys = node.entries.map(({ key }) => ({ value: key }));
				this.known.entries.set(node, {
					isList: false,
					key: this.known.sizeOfItems(keys),
					value: this.known.sizeOfItems(node.entries),
				});
				return addRanges(...costs, fixed(newMapCost));
			}
			case "object":
				return addRanges(...node.fields.map((field) => this.cost(field.value)), fixed(newObjectCost));
			case "comprehension":
				return this.comprehension(node);
			case "binding":
				return this.binding(node);
		}
	}

	private identifier(node: Node, name: string): Range {
		const variable = this.known.variable(name);
		const path = variable === undefined ? [name.replace(/^\./, "")] : variable.path;
		if (path !== undefined) this.known.paths.set(node, path);
		return fixed(accessCost);
	}

	private select(node: Select): Range {
		const reference = this.checked.referenceOf(node);
		if (reference !== undefined) return this.identifier(node, reference.name);
		const operand = this.cost(node.operand);
		if (node.mode === "has") return operand;
		// Selecting an optional field is a call to upstream.
		if (node.mode === "optional") return addRanges(operand, fixed(callCost));
		this.known.paths.set(node, [...this.known.pathInto(node.operand), node.field]);
		const { kind } = this.checked.typeOf(node.operand);
		return kind === "map" || kind === "object" ? addRanges(operand, fixed(accessCost)) : operand;
	}

	private call(node: Call): Range {
		const costs = node.arguments.map((argument) => this.cost(argument));
		const [first] = node.arguments;
		if (node.name === "dyn" && node.target === undefined && first !== undefined) {
			this.known.copy(node, first);
			return addRanges(one, ...costs);
		}
		const { declaration, overloads, namespaced } = this.checked.resolutionOf(node);
		const target = namespaced ? undefined : node.target;
		const targetCost = target === undefined ? zero : this.cost(target);
		const described = node.arguments.map((argument) => this.known.describe(argument));
		const describedTarget = target && this.known.describe(target);
		let cost: Range = { min: unbounded, max: 0 };
		let size: Range | undefined;
		for (const overload of overloads) {
			const of = overload.estimate ?? declaration.estimate;
			const estimated: CallEstimate = of?.(describedTarget, described) ?? { cost: fixed(callCost) };
			cost = unionOfRanges(cost, estimated.cost);
			if (estimated.size !== undefined)
				size = size === undefined ? estimated.size : unionOfRanges(size, estimated.size);
			size = this.indexed(node, overload.id) ?? size;
		}
		this.passEntries(node);
		size ??= this.known.knownSize(node);
		if (size !== undefined) this.known.sizes.set(node, size);
		const argumentCost = node.name === "_?_:_" ? conditionalCost(costs) : addRanges(...costs);
		return addRanges(targetCost, argumentCost, cost);
	}

	/** Notes where the item of a list or map comes from. @returns its size where the expression shows it */
	private indexed(node: Call, overload: string): Range | undefined {
		const [operand] = node.arguments;
		if (operand === undefined || (overload !== "index_list" && overload !== "index_map")) return undefined;
		this.known.paths.set(node, [...this.known.pathInto(operand), overload === "index_list" ? "@items" : "@values"]);
		return this.known.entriesOf(operand)?.value;
	}

	/** The entries of a result are those of the operands where it is put together from them. */
	private passEntries(node: Call): void {
		const operands = node.name === "_?_:_" ? node.arguments.slice(1) : node.name === "_+_" ? node.arguments : [];
		const [a, b] = operands.map((operand) => this.known.entriesOf(operand));
		if (a === undefined || b === undefined) return;
		this.known.entries.set(node, {
			isList: a.isList,
			key: unionOfRanges(a.key, b.key),
			value: unionOfRanges(a.value, b.value),
		});
	}

	private comprehension(node: Comprehension): Range {
		const rangeCost = this.cost(node.range);
		const loop = this.known.within(this.loopVariables(node), () => {
			const filter = node.filter && this.cost(node.filter);
			return new LoopEstimate(node.loop, filter, this.cost(node.body), this.itemEntries(node));
		});
		const count = this.known.size(node.range);
		if (loop.resultSize === "number") this.known.sizes.set(node, one);
		else {
			this.known.sizes.set(node, count);
			if (loop.entries !== undefined) this.known.entries.set(node, loop.entries);
		}
		return addRanges(rangeCost, loop.once, multiplyRanges(count, loop.perItem));
	}

	/** The sizes of what the result of a loop has in it. */
	private itemEntries(node: Comprehension): EntrySizes | undefined {
		switch (node.loop) {
			case "map":
			case "transformList":
				return { isList: true, key: one, value: this.known.size(node.body) };
			case "filter":
				return {
					isList: true,
					key: one,
					value: this.known.variable(node.variable2 ?? node.variable)?.size ?? unknownRange,
				};
			default:
				return undefined;
		}
	}

	private loopVariables(node: Comprehension): [string, Variable][] {
		const entries = this.known.entriesOf(node.range);
		const isList = entries?.isList ?? this.checked.typeOf(node.range).kind === "list";
		const path = this.known.pathInto(node.range);
		const variable = (part: string, size: Range | undefined): Variable => ({ path: [...path, part], size });
		const key = variable(isList ? "@indices" : "@keys", entries?.key);
		const value = variable(isList ? "@items" : "@values", entries?.value);
		if (node.variable2 !== undefined)
			return [
				[node.variable, key],
				[node.variable2, value],
			];
		return [[node.variable, isList ? value : key]];
	}

	private binding(node: Binding): Range {
		const operand = this.cost(node.operand);
		const variable: Variable = {
			path: this.known.paths.get(node.operand),
			size: this.known.knownSize(node.operand),
			entries: this.known.entriesOf(node.operand),
		};
		const body = this.known.within([[node.variable, this.boundVariable(node, variable)]], () => this.cost(node.body));
		if (node.macro === "sortBy") return this.sorting(node, operand, body);
		if (node.macro === "bind") return addRanges(operand, fixed(newListCost), body);
		const present = addRanges(operand, body, fixed(newListCost + (node.macro === "optMap" ? 2 : 1)));
		return addRanges(operand, one, unionOfRanges(present, one));
	}

	private boundVariable(node: Binding, operand: Variable): Variable {
		if (node.macro === "bind") return operand;
		if (node.macro !== "sortBy") return { path: undefined, size: undefined };
		return { path: operand.path && [...operand.path, "@items"], size: operand.entries?.value };
	}

	/** As the loop that computes the keys and the comparison of each with each. */
	private sorting(node: Binding, operand: Range, body: Range): Range {
		const count = this.known.size(node.operand);
		const keys = multiplyRanges(count, addRanges(body, fixed(2 + newListCost)));
		const factor = ["string", "bytes"].includes(this.checked.typeOf(node.body).kind) ? 2.1 : 2;
		const square = multiplyRanges(count, count);
		const compared = { min: Math.ceil(square.min * factor), max: Math.min(unbounded, Math.ceil(square.max * factor)) };
		this.known.sizes.set(node, count);
		return addRanges(operand, keys, compared, fixed(newListCost * 3 + callCost + 3));
	}
}

function conditionalCost([condition = zero, whenTrue = zero, whenFalse = zero]: readonly Range[]): Range {
	return addRanges(condition, unionOfRanges(whenTrue, whenFalse));
}
