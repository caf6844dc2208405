import type { Type } from "../types/type.ts";

/** The tree of an expression. `at` is the offset of the token that messages point to. */
export type Node =
	| Literal
	| Identifier
	| Select
	| Call
	| Logic
	| ListLiteral
	| MapLiteral
	| ObjectLiteral
	| Comprehension
	| Binding;

interface At {
	readonly at: number;
}

export interface Literal extends At {
	readonly kind: "literal";
	readonly value: unknown;
	readonly type: Type;
}

export interface Identifier extends At {
	readonly kind: "identifier";
	/** With a leading dot where the expression has one: such a name is never that of a loop's variable. */
	readonly name: string;
}

/** `operand.field`, `operand.?field` or `has(operand.field)`. */
export interface Select extends At {
	readonly kind: "select";
	readonly operand: Node;
	readonly field: string;
	readonly mode: "value" | "optional" | "has";
}

export interface Call extends At {
	readonly kind: "call";
	/** Of operators as upstream names them in messages: `_+_`, `_[_]`, `_[?_]`, `_?_:_`, `!_`, `-_`, `@in`. */
	readonly name: string;
	readonly target: Node | undefined;
	readonly arguments: readonly Node[];
}

/** A chain of `&&` or `||`. */
export interface Logic extends At {
	readonly kind: "logic";
	readonly name: "_&&_" | "_||_";
	readonly terms: readonly Node[];
}

export interface Item extends At {
	readonly value: Node;
	readonly optional: boolean;
}

export interface ListLiteral extends At {
	readonly kind: "list";
	readonly items: readonly Item[];
}

export interface MapEntry extends Item {
	readonly key: Node;
}

export interface MapLiteral extends At {
	readonly kind: "map";
	readonly entries: readonly MapEntry[];
}

export interface ObjectField extends Item {
	readonly name: string;
}

export interface ObjectLiteral extends At {
	readonly kind: "object";
	readonly name: string;
	readonly fields: readonly ObjectField[];
}

export type LoopKind =
	| "all"
	| "exists"
	| "existsOne"
	| "map"
	| "filter"
	| "transformList"
	| "transformMap"
	| "transformMapEntry";

/** A macro that visits the items of a list or the entries of a map. */
export interface Comprehension extends At {
	readonly kind: "comprehension";
	readonly loop: LoopKind;
	readonly range: Node;
	readonly variable: string;
	/** Of macros with two variables: then the first is the index or key. */
	readonly variable2: string | undefined;
	/** Which items count, where the macro takes that besides its body. */
	readonly filter: Node | undefined;
	readonly body: Node;
}

/** The macros that give a name to a value for the time of their body. */
export interface Binding extends At {
	readonly kind: "binding";
	readonly macro: "optMap" | "optFlatMap" | "sortBy" | "bind";
	readonly operand: Node;
	readonly variable: string;
	readonly body: Node;
}
