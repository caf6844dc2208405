import { asMap } from "../values/cel-map.ts";
import { doubleOf, isInt } from "../values/kind.ts";
import { CelValue, Optional, TypeValue, Uint } from "../values/value.ts";
import type { Type, TypeKind } from "./type.ts";

/** Whether a value is one of a type, judged by the outermost part of it. */
export type Acceptor = (value: unknown) => boolean;

const byKind: Readonly<Partial<Record<TypeKind, Acceptor>>> = {
	null: (value) => value === null,
	bool: (value) => typeof value === "boolean",
	int: isInt,
	uint: (value) => value instanceof Uint,
	double: (value) => doubleOf(value) !== undefined,
	string: (value) => typeof value === "string",
	bytes: (value) => value instanceof Uint8Array,
	list: Array.isArray,
	map: (value) => asMap(value) !== undefined,
	type: (value) => value instanceof TypeValue,
};

export function acceptorOf(type: Type): Acceptor {
	const accepts = byKind[type.kind];
	if (accepts !== undefined) return accepts;
	switch (type.kind) {
		case "opaque":
		case "timestamp":
		case "duration":
			return type.name === "optional_type"
				? (value) => value instanceof Optional
				: (value) => value instanceof CelValue && value.typeName === type.name;
		case "object":
			return (value) => (value instanceof CelValue ? value.typeName === type.name : asMap(value) !== undefined);
		default:
			return () => true;
	}
}
