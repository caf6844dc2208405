import type { Checked } from "../check/checked.ts";
import { fixed, one, type Range, unionOfRanges, unknownRange, zero } from "../cost/range.ts";
import { sizeOf } from "../cost/size.ts";
import type { Estimated } from "../library/function.ts";
import type { Item, Node } from "../parse/syntax.ts";
import { dynType, type Type } from "../types/type.ts";
import { computed, type Path, type SizeBounds } from "./sizes.ts";

/** Sizes of what a list or map has in it, known of those that an expression makes. */
export interface EntrySizes {
	readonly isList: boolean;
	readonly key: Range;
	readonly value: Range;
}

export interface Variable {
	readonly path: Path | undefined;
	readonly size: Range | undefined;
	readonly entries?: EntrySizes;
}

/** What an estimate has found out about the nodes of a tree, and about the variables of the loops around one. */
export class KnownSizes {
	/** Where values come from. */
	readonly paths = new Map<Node, Path>();
	readonly sizes = new Map<Node, Range>();
	readonly entries = new Map<Node, EntrySizes>();
	private readonly checked: Checked;
	private readonly bounds: SizeBounds;
	private readonly variables = new Map<string, Variable[]>();

	constructor(checked: Checked, bounds: SizeBounds) {
		this.checked = checked;
		this.bounds = bounds;
	}

	/** The innermost variable with this name. */
	variable(name: string): Variable | undefined {
		return this.variables.get(name)?.at(-1);
	}

	within<T>(variables: readonly [string, Variable][], action: () => T): T {
		for (const [name, variable] of variables) {
			const known = this.variables.get(name);
			if (known === undefined) this.variables.set(name, [variable]);
			else known.push(variable);
		}
		const result = action();
		for (const [name] of variables) this.variables.get(name)?.pop();
		return result;
	}

	/** As overloads of functions estimate by it. */
	describe(node: Node): Estimated {
		const type = this.checked.typeOf(node);
		const path = this.paths.get(node);
		const itemSize = (path && this.bounds([...path, "@items"])) ?? unknownRange;
		return { type, size: this.size(node), itemSize, literal: node.kind === "literal" ? node.value : undefined };
	}

	/** To append to for what is inside. */
	pathInto(node: Node): Path {
		return this.paths.get(node) ?? [computed];
	}

	size(node: Node): Range {
		return this.knownSize(node) ?? unknownRange;
	}

	/** Undefined: it may have any. */
	knownSize(node: Node): Range | undefined {
		const known = this.sizes.get(node);
		if (known !== undefined) return known;
		if (node.kind === "literal") return fixed(sizeOf(node.value));
		if (node.kind === "list") return fixed(node.items.length);
		if (node.kind === "map") return fixed(node.entries.length);
		const path = this.paths.get(node);
		const bounded = path && this.bounds(path);
		if (bounded !== undefined) return bounded;
		if (isScalar(this.checked.typeOf(node))) return one;
		return node.kind === "identifier" ? this.variable(node.name)?.size : undefined;
	}

	/** The size that any of these may have. */
	sizeOfItems(items: readonly Pick<Item, "value">[]): Range {
		if (items.length === 0) return zero;
		return items.map(({ value }) => this.size(value)).reduce(unionOfRanges);
	}

	entriesOf(node: Node): EntrySizes | undefined {
		const known = this.entries.get(node);
		if (known !== undefined || node.kind !== "identifier") return known;
		return this.variable(node.name)?.entries;
	}

	copy(to: Node, from: Node): void {
		const [size, entries] = [this.knownSize(from), this.entriesOf(from)];
		if (size !== undefined) this.sizes.set(to, size);
		if (entries !== undefined) this.entries.set(to, entries);
	}
}

/** Whether values of a type all have the size 1. */
function isScalar(type: Type): boolean {
	if (type.kind === "opaque" && type.name === "optional_type") return isScalar(type.parameters[0] ?? dynType);
	return ["bool", "double", "duration", "int", "timestamp", "uint"].includes(type.kind);
}
