import { markList } from "../values/list-semantics.ts";
import { isPlainMap } from "../values/value.ts";
import { countWork } from "../values/work.ts";
import { escapeName } from "./escaping.ts";
import type { Type } from "./type.ts";

/**
 * What tells lists whose order does not count from others within values of a type, before two of them are compared.
 * Undefined for types in whose values there are no lists but those that are read one by one.
 */
export function listMarkerOf(type: Type): ((value: unknown) => void) | undefined {
	const holds = type.kind === "object" || type.parameters.some(({ kind }) => nesting.has(kind));
	return nesting.has(type.kind) && holds ? (value) => mark(value, type) : undefined;
}

const nesting: ReadonlySet<string> = new Set(["object", "list", "map"]);

function mark(value: unknown, type: Type): void {
	if (Array.isArray(value)) {
		countWork(value.length);
		if (type.semantics !== undefined) markList(value, type.semantics);
		const [items] = type.parameters;
		if (type.kind === "list" && items !== undefined && nesting.has(items.kind))
			for (const item of value) mark(item, items);
	} else if (isPlainMap(value)) {
		const keys = Object.keys(value);
		countWork(keys.length);
		for (const key of keys) {
			const field = type.kind === "map" ? type.parameters[1] : fieldType(type, key);
			if (field !== undefined && nesting.has(field.kind)) mark(value[key], field);
		}
	}
}

function fieldType(type: Type, key: string): Type | undefined {
	const name = escapeName(key);
	return name === undefined ? undefined : type.fields?.field(name)?.type;
}
