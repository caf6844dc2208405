import type { Checked } from "../check/checked.ts";
import type { Node } from "../parse/syntax.ts";
import { readerOf } from "../types/declared.ts";
import { fail } from "../values/failure.ts";
import { TypeValue } from "../values/value.ts";
import { buildSelect } from "./access.ts";
import { buildBinding } from "./bindings.ts";
import type { Builder } from "./builder.ts";
import { buildCall } from "./calls.ts";
import { buildComprehension } from "./comprehensions.ts";
import type { Evaluate, Frame } from "./frame.ts";
import { buildList, buildMap, buildObject } from "./literals.ts";
import { buildLogic } from "./logic.ts";

/** An expression, ready to run. */
export interface Built {
	readonly evaluate: Evaluate;
	/** How many places its loops need. */
	readonly localCount: number;
}

/** Turns a checked tree into closures. @throws Failure when a part without variables fails, such as `int('a')` */
export function build(checked: Checked): Built {
	const builder = new TreeBuilder(checked);
	const evaluate = builder.build(checked.root);
	return { evaluate, localCount: builder.localCount };
}

class TreeBuilder implements Builder {
	readonly checked: Checked;
	localCount = 0;
	private readonly names: string[] = [];
	private readonly constants = new Map<Node, { readonly value: unknown } | undefined>();

	constructor(checked: Checked) {
		this.checked = checked;
	}

	build(node: Node): Evaluate {
		const constant = this.constantOf(node);
		if (constant === undefined) return this.closure(node);
		const { value } = constant;
		return () => value;
	}

	private closure(node: Node): Evaluate {
		switch (node.kind) {
			case "literal":
				return () => node.value;
			case "identifier":
				return this.identifier(node, node.name);
			case "select":
				return this.checked.referenceOf(node) === undefined
					? buildSelect(this, node)
					: this.identifier(node, this.checked.referenceOf(node)?.name ?? "");
			case "call":
				return buildCall(this, node);
			case "logic":
				return buildLogic(this, node);
			case "list":
				return buildList(this, node);
			case "map":
				return buildMap(this, node);
			case "object":
				return buildObject(this, node);
			case "comprehension":
				return buildComprehension(this, node);
			case "binding":
				return buildBinding(this, node);
		}
	}

	private identifier(node: Node, name: string): Evaluate {
		const reference = this.checked.referenceOf(node);
		const read = readerOf(this.checked.typeOf(node));
		if (reference?.kind === "loop variable") {
			const place = this.placeOf(name);
			if (read !== undefined)
				return (frame) => {
					frame.cost++;
					return read(frame.locals[place]);
				};
			return (frame) => {
				frame.cost++;
				return frame.locals[place];
			};
		}
		const key = reference?.name ?? name;
		const get = key in Object.prototype ? ownVariable : variable;
		if (read === undefined)
			return (frame) => {
				frame.cost++;
				return get(frame, key);
			};
		return (frame) => {
			frame.cost++;
			return read(get(frame, key));
		};
	}

	placeOf(name: string): number {
		return this.names.lastIndexOf(name);
	}

	withVariables<T>(names: readonly string[], action: (places: readonly number[]) => T): T {
		const first = this.names.length;
		this.names.push(...names);
		this.localCount = Math.max(this.localCount, this.names.length);
		const result = action(names.map((_, index) => first + index));
		this.names.length = first;
		return result;
	}

	constantOf(node: Node): { readonly value: unknown } | undefined {
		if (node.kind === "literal") return { value: node.value };
		if (this.constants.has(node)) return this.constants.get(node);
		const constant = this.isConstant(node) ? { value: this.once(this.closure(node)) } : this.typeName(node);
		this.constants.set(node, constant);
		return constant;
	}

	private typeName(node: Node): { readonly value: unknown } | undefined {
		if (node.kind !== "identifier" && node.kind !== "select") return undefined;
		const reference = this.checked.referenceOf(node);
		if (reference?.kind !== "type") return undefined;
		return { value: new TypeValue(this.checked.typeOf(node).parameters[0]?.name ?? reference.name) };
	}

	/** Whether upstream computes it beforehand, which makes it free in each evaluation. */
	private isConstant(node: Node): boolean {
		const constant = (part: Node) => this.constantOf(part) !== undefined;
		switch (node.kind) {
			case "list":
				return node.items.every((item) => !item.optional && constant(item.value));
			case "map":
				return node.entries.every((entry) => !entry.optional && constant(entry.key) && constant(entry.value));
			case "call": {
				const [argument, ...rest] = node.arguments;
				if (node.target !== undefined || argument === undefined || rest.length > 0) return false;
				return conversions.has(node.name) && constant(argument);
			}
			default:
				return false;
		}
	}

	private once(evaluate: Evaluate): unknown {
		return evaluate({ variables: {}, locals: [], cost: 0, limit: Number.POSITIVE_INFINITY });
	}
}

const conversions: ReadonlySet<string> = new Set([
	"bool",
	"bytes",
	"double",
	"duration",
	"dyn",
	"int",
	"string",
	"timestamp",
	"type",
	"uint",
]);

function variable({ variables }: Frame, name: string): unknown {
	const value = variables[name];
	return value === undefined ? fail(`no such attribute(s): ${name}`) : value;
}

/** For names that every object has a property of. */
function ownVariable(frame: Frame, name: string): unknown {
	return Object.hasOwn(frame.variables, name) ? variable(frame, name) : fail(`no such attribute(s): ${name}`);
}
