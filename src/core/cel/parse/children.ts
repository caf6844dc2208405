import type { Node } from "./syntax.ts";

/** The parts of a node, in the order in which they are written. */
export function childrenOf(node: Node): readonly Node[] {
	switch (node.kind) {
		case "literal":
		case "identifier":
			return [];
		case "select":
			return [node.operand];
		case "call":
			return node.target === undefined ? node.arguments : [node.target, ...node.arguments];
		case "logic":
			return node.terms;
		case "list":
			return node.items.map(({ value }) => value);
		case "map":
			return node.entries.flatMap(({ key, value }) => [key, value]);
		case "object":
			return node.fields.map(({ value }) => value);
		case "comprehension":
			return [node.range, ...(node.filter === undefined ? [] : [node.filter]), node.body];
		case "binding":
			return [node.operand, node.body];
	}
}
