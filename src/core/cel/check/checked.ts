import type { FunctionDeclaration, Overload } from "../library/function.ts";
import type { Issue } from "../parse/issue.ts";
import type { Call, Node } from "../parse/syntax.ts";
import type { Field, Type } from "../types/type.ts";
import type { Reference } from "./scope.ts";

/** The function that a call means, and the overloads that its arguments may choose. */
export interface Resolution {
	readonly declaration: FunctionDeclaration;
	readonly overloads: readonly Overload[];
	/** Whether the target is the namespace of the function (`sets` of `sets.contains`) and no argument. */
	readonly namespaced: boolean;
}

/** A tree whose types fit. */
export interface Checked {
	readonly root: Node;
	typeOf(node: Node): Type;
	/** What an identifier, or a path of fields that is a name with dots, means; undefined for other nodes. */
	referenceOf(node: Node): Reference | undefined;
	resolutionOf(call: Call): Resolution;
	/** The field that a selection means, when its operand is an object of a declared type. */
	fieldOf(node: Node): Field | undefined;
}

export interface CheckResult {
	readonly checked: Checked;
	/** Empty when the types fit. */
	readonly issues: readonly Issue[];
}
