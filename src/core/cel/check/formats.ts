import { type Clause, clauseCount, parseFormat } from "../library/format-clauses.ts";
import type { Issue } from "../parse/issue.ts";
import type { Call, Node } from "../parse/syntax.ts";
import type { TypeKind } from "../types/type.ts";
import { Failure } from "../values/failure.ts";
import type { Checked } from "./checked.ts";

const numbers: readonly TypeKind[] = ["int", "uint"];

/** Which types a clause takes. A text may stand for a double that is no number. */
const takes: Readonly<Record<Clause["verb"], readonly TypeKind[]>> = {
	s: [...numbers, "list", "map", "double", "bool", "string", "timestamp", "bytes", "duration", "type", "null"],
	d: numbers,
	f: ["double", "string"],
	e: ["double", "string"],
	b: [...numbers, "bool"],
	o: numbers,
	x: [...numbers, "string", "bytes"],
	X: [...numbers, "string", "bytes"],
};

/** Mistakes of `'…'.format([…])` where both are written out. */
export function formatIssues(checked: Checked, node: Call): Issue[] {
	const [list] = node.arguments;
	const { target } = node;
	if (node.name !== "format" || target?.kind !== "literal" || list?.kind !== "list") return [];
	const values = list.items.map((item) => item.value);
	try {
		const parts = parseFormat(String(target.value), values.length);
		const wrong = parts.flatMap((part) =>
			typeof part === "string" ? [] : clauseIssues(checked, part, values[part.index]),
		);
		if (wrong[0] !== undefined) return [wrong[0]];
		const count = clauseCount(parts);
		if (values.length <= count) return [];
		const message = `too many arguments supplied to string.format (expected ${count}, got ${values.length})`;
		return [{ at: node.at, message }];
	} catch (error) {
		if (error instanceof Failure) return [{ at: node.at, message: error.message }];
		throw error;
	}
}

function clauseIssues(checked: Checked, clause: Clause, value: Node | undefined): Issue[] {
	if (value === undefined) return [];
	const { kind, name } = checked.typeOf(value);
	if (kind !== "dyn" && !takes[clause.verb].includes(kind))
		return [{ at: value.at, message: `error during formatting: ${clause.takes}, was given ${name}` }];
	if (clause.verb !== "s") return [];
	// What is in a list or a map is written as text, too.
	if (value.kind === "list") return value.items.flatMap((item) => clauseIssues(checked, clause, item.value));
	if (value.kind !== "map") return [];
	return value.entries.flatMap((entry) => [
		...clauseIssues(checked, clause, entry.key),
		...clauseIssues(checked, clause, entry.value),
	]);
}
