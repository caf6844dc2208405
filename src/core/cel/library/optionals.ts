import { boolType, listType, optionalType, typeParameter } from "../types/type.ts";
import { asMap, mapSize } from "../values/cel-map.ts";
import { Duration } from "../values/duration.ts";
import { fail } from "../values/failure.ts";
import { none, numeric, Optional } from "../values/value.ts";
import { countWork } from "../values/work.ts";
import { type FunctionDeclaration, global, member } from "./function.ts";

/** Functions of optional values. `or` and `orValue` are evaluated elsewhere, as their argument may not be. */

const v = typeParameter("V");
const optionalV = optionalType(v);
const listOfV = listType(v);
const listOfOptionals = listType(optionalV);

function unwrap(list: readonly unknown[]): unknown[] {
	countWork(list.length);
	return list.flatMap((item) => (item instanceof Optional && item.value !== undefined ? [item.value] : []));
}

/** Whether a value is the empty one of its type. */
function isZeroValue(value: unknown): boolean {
	if (value === null || value === false || value === "") return true;
	const number = numeric(value);
	if (number !== undefined) return Number(number) === 0;
	if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
	if (value instanceof Duration) return value.nanos === 0n;
	if (value instanceof Optional) return value.value === undefined;
	const map = asMap(value);
	return map !== undefined && mapSize(map) === 0;
}

export const optionals: readonly FunctionDeclaration[] = [
	{ name: "optional.of", overloads: [global("optional_of", [v], optionalV, (value: unknown) => new Optional(value))] },
	{
		name: "optional.ofNonZeroValue",
		overloads: [
			global("optional_ofNonZeroValue", [v], optionalV, (value: unknown) =>
				isZeroValue(value) ? none : new Optional(value),
			),
		],
	},
	{ name: "optional.none", overloads: [global("optional_none", [], optionalV, () => none)] },
	{
		name: "value",
		overloads: [
			member("optional_value", [optionalV], v, ({ value }: Optional) =>
				value === undefined ? fail("optional.none() dereference") : value,
			),
		],
	},
	{
		name: "hasValue",
		overloads: [member("optional_hasValue", [optionalV], boolType, ({ value }: Optional) => value !== undefined)],
	},
	{ name: "or", overloads: [member("optional_or_optional", [optionalV, optionalV], optionalV)] },
	{ name: "orValue", overloads: [member("optional_orValue_value", [optionalV, v], v)] },
	{
		name: "first",
		overloads: [
			member("list_first", [listOfV], optionalV, (list: unknown[]) =>
				list.length === 0 ? none : new Optional(list[0]),
			),
		],
	},
	{
		name: "last",
		overloads: [
			member("list_last", [listOfV], optionalV, (list: unknown[]) =>
				list.length === 0 ? none : new Optional(list.at(-1)),
			),
		],
	},
	{ name: "optional.unwrap", overloads: [global("optional_unwrap", [listOfOptionals], listOfV, unwrap)] },
	{ name: "unwrapOpt", overloads: [member("optional_unwrapOpt", [listOfOptionals], listOfV, unwrap)] },
];
