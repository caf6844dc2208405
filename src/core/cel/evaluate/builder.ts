import type { Checked } from "../check/checked.ts";
import type { Node } from "../parse/syntax.ts";
import type { Evaluate } from "./frame.ts";

/** What the parts of an expression need while they are built. */
export interface Builder {
	readonly checked: Checked;
	/** The closure of a node. */
	build(node: Node): Evaluate;
	/** The place of a loop's variable within the locals. */
	placeOf(name: string): number;
	/** Builds with variables in new places, which are passed to `action`. */
	withVariables<T>(names: readonly string[], action: (places: readonly number[]) => T): T;
	/** The value of a node that is the same in each evaluation, as an object; undefined when it is not. */
	constantOf(node: Node): { readonly value: unknown } | undefined;
}
