import type { Range } from "../cost/range.ts";
import type { Type } from "../types/type.ts";

/** How functions are declared: what the checker and the evaluator know of them. */

export interface FunctionDeclaration {
	/** With its namespace, where it has one: `sets.contains`. */
	readonly name: string;
	readonly overloads: readonly Overload[];
	/** Whether `run` itself refuses arguments that no overload takes, so that nothing has to look at them before. */
	readonly checksArguments?: boolean;
	/** Does the work of all overloads where they are one operation on values of several types. */
	readonly run?: Run;
	/** The cost of overloads without their own, in units of `cost/factors.ts`; default: 1. */
	readonly cost?: Cost;
	readonly estimate?: Estimate;
}

export interface Overload {
	/** Upstream's name for it. */
	readonly id: string;
	/** Whether it is called on its first argument: `text.size()`. */
	readonly member: boolean;
	readonly parameters: readonly Type[];
	readonly result: Type;
	readonly run?: Run;
	readonly cost?: Cost;
	readonly estimate?: Estimate;
}

/** Takes the arguments; of a member call the target first. Their types are those of the parameters. */
export type Run = (...args: never[]) => unknown;

export interface Cost {
	/** Counted before the call, so that work beyond the limit does not begin. */
	readonly before?: (args: readonly unknown[]) => number;
	/** Counted after it, for what only its result shows. */
	readonly after?: (args: readonly unknown[], result: unknown) => number;
}

/** What is known of an argument before an evaluation. */
export interface Estimated {
	readonly type: Type;
	readonly size: Range;
	/** Of the items of a list. */
	readonly itemSize: Range;
	/** The value, where the expression has it; undefined otherwise. */
	readonly literal: unknown;
}

export interface CallEstimate {
	/** Without that of the arguments. */
	readonly cost: Range;
	readonly size?: Range;
}

/** @param target undefined unless the call is one on a target */
export type Estimate = (target: Estimated | undefined, args: readonly Estimated[]) => CallEstimate | undefined;

interface OverloadOptions {
	readonly cost?: Cost;
	readonly estimate?: Estimate;
}

/** An overload called by its name: `size(text)`. */
export function global(
	id: string,
	parameters: readonly Type[],
	result: Type,
	run?: Run,
	options?: OverloadOptions,
): Overload {
	return { id, member: false, parameters, result, run, cost: options?.cost, estimate: options?.estimate };
}

/** An overload called on its first parameter: `text.size()`. */
export function member(
	id: string,
	parameters: readonly Type[],
	result: Type,
	run?: Run,
	options?: OverloadOptions,
): Overload {
	return { id, member: true, parameters, result, run, cost: options?.cost, estimate: options?.estimate };
}

/** Declarations by name; those of one name are put together. */
export function functionTable(declarations: readonly FunctionDeclaration[]): ReadonlyMap<string, FunctionDeclaration> {
	const table = new Map<string, FunctionDeclaration>();
	for (const declaration of declarations) {
		const known = table.get(declaration.name);
		table.set(declaration.name, known === undefined ? declaration : merged(known, declaration));
	}
	return table;
}

function merged(a: FunctionDeclaration, b: FunctionDeclaration): FunctionDeclaration {
	return {
		name: a.name,
		overloads: [...a.overloads, ...b.overloads],
		checksArguments: a.checksArguments ?? b.checksArguments,
		run: a.run ?? b.run,
		cost: a.cost ?? b.cost,
		estimate: a.estimate ?? b.estimate,
	};
}
