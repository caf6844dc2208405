import { type Range, zero } from "../cost/range.ts";
import type { Type } from "../types/type.ts";

/**
 * Where a value comes from: a variable, then names of fields, `@items`, `@values`, `@keys` or `@indices`. Undefined for
 * what an expression computes.
 */
export type Path = readonly string[];

/** The root of paths into what an expression computes. */
export const computed = "@computed";

/** The size that a schema allows for what a path names; undefined when nothing is known. */
export type SizeBounds = (path: Path) => Range | undefined;

/** Types whose values have no size that upstream's estimates for schemas count. */
const sizeless: ReadonlySet<string> = new Set(["bool", "int", "uint", "double", "null", "object"]);

/** The sizes that declared types allow. */
export function declaredSizes(variables: ReadonlyMap<string, Type>): SizeBounds {
	return ([root = "", ...parts]) => {
		// Upstream takes the first part of a path for `self` without looking at it: an item of a computed list has the size
		// of `self`. Definitions rely on it: `self.split('/')[0].matches(…)`.
		const rest = root === computed ? parts.slice(1) : parts;
		let type = variables.get(root === computed ? "self" : root);
		// What is no variable is the name of a type.
		if (type === undefined) return rest.length === 0 ? zero : undefined;
		for (const name of rest) {
			const next = step(type, name);
			if (next === undefined) return undefined;
			type = next;
		}
		if (type.maxSize !== undefined) return { min: 0, max: type.maxSize };
		return sizeless.has(type.kind) ? zero : undefined;
	};
}

function step(type: Type, name: string): Type | undefined {
	switch (name) {
		case "@items":
			return type.kind === "list" ? type.parameters[0] : undefined;
		case "@keys":
			return type.kind === "map" ? type.parameters[0] : undefined;
		case "@values":
			return type.kind === "map" ? type.parameters[1] : undefined;
		default:
			return type.kind === "map" ? type.parameters[1] : type.fields?.field(name)?.type;
	}
}
