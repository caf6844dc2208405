import { SyntaxIssue } from "./issue.ts";
import type { Binding, Comprehension, LoopKind, Node } from "./syntax.ts";

/**
 * Calls that are syntax: their arguments name variables. Null when a call is an ordinary one.
 * @param namesValues whether `cel.bind(name, value, body)` is one
 */
export function macroOf(
	at: number,
	name: string,
	target: Node | undefined,
	args: readonly Node[],
	namesValues: boolean,
): Node | null {
	if (target === undefined) return name === "has" && args.length === 1 ? presence(at, args) : null;
	const [variable, value, body] = args;
	if (namesValues && name === "bind" && target.kind === "identifier" && target.name === "cel" && args.length === 3)
		return value === undefined || body === undefined ? null : named(at, value, [variable, body]);
	const make = macros.get(`${name}/${args.length}`);
	return make === undefined ? null : make(at, target, args);
}

type Macro = (at: number, target: Node, args: readonly (Node | undefined)[]) => Comprehension | Binding;

/** By name and number of arguments. */
const macros: ReadonlyMap<string, Macro> = new Map([
	["all/2", loop("all", 1)],
	["all/3", loop("all", 2)],
	["exists/2", loop("exists", 1)],
	["exists/3", loop("exists", 2)],
	["exists_one/2", loop("existsOne", 1)],
	["exists_one/3", loop("existsOne", 2)],
	["existsOne/2", loop("existsOne", 1)],
	["existsOne/3", loop("existsOne", 2)],
	["map/2", loop("map", 1, "argument is not an identifier")],
	["map/3", loop("map", 1, "argument is not an identifier")],
	["filter/2", loop("filter", 1, "argument is not an identifier")],
	["transformList/3", loop("transformList", 2)],
	["transformList/4", loop("transformList", 2)],
	["transformMap/3", loop("transformMap", 2)],
	["transformMap/4", loop("transformMap", 2)],
	["transformMapEntry/3", loop("transformMapEntry", 2)],
	["transformMapEntry/4", loop("transformMapEntry", 2)],
	["optMap/2", binding("optMap", "optMap() variable name must be a simple identifier")],
	["optFlatMap/2", binding("optFlatMap", "optFlatMap() variable name must be a simple identifier")],
	["sortBy/2", binding("sortBy", "argument is not an identifier")],
]);

const named = binding("bind", "cel.bind() variable name must be a simple identifier");

function presence(at: number, args: readonly Node[]): Node {
	const [argument] = args;
	if (argument?.kind !== "select" || argument.mode !== "value")
		throw new SyntaxIssue(argument?.at ?? at, "invalid argument to has() macro");
	return { kind: "select", at, operand: argument.operand, field: argument.field, mode: "has" };
}

function loop(kind: LoopKind, variableCount: 1 | 2, notAName = "argument must be a simple name"): Macro {
	return (at, range, args) => {
		const variable = variableName(args[0], notAName);
		const variable2 = variableCount === 2 ? variableName(args[1], notAName) : undefined;
		if (variable === variable2) throw new SyntaxIssue(args[1]?.at ?? at, `duplicate variable name: ${variable}`);
		const rest = args.slice(variableCount);
		const body = rest.at(-1);
		if (body === undefined) throw new Error("a macro without a body");
		const filter = rest.length === 2 ? rest[0] : undefined;
		return { kind: "comprehension", at, loop: kind, range, variable, variable2, filter, body };
	};
}

function binding(macro: Binding["macro"], notAName: string): Macro {
	return (at, operand, [name, body]) => {
		const variable = variableName(name, notAName);
		if (body === undefined) throw new Error("a macro without a body");
		return { kind: "binding", at, macro, operand, variable, body };
	};
}

function variableName(argument: Node | undefined, message: string): string {
	if (argument?.kind !== "identifier" || argument.name.startsWith("."))
		throw new SyntaxIssue(argument?.at ?? -1, message);
	if (argument.name === "__result__")
		throw new SyntaxIssue(argument.at, "iteration variable overwrites accumulator variable");
	return argument.name;
}
