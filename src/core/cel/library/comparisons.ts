import { perCharacter } from "../cost/factors.ts";
import { one, scaleRange, unionOfRanges } from "../cost/range.ts";
import { comparison } from "../cost/size.ts";
import {
	boolType,
	bytesType,
	doubleType,
	durationType,
	intType,
	listType,
	mapType,
	optionalType,
	sameType,
	stringType,
	type Type,
	timestampType,
	typeParameter,
	uintType,
} from "../types/type.ts";
import { compare } from "../values/compare.ts";
import { type CallEstimate, type Estimated, type FunctionDeclaration, global, type Overload } from "./function.ts";

/** Comparisons, and the operators that the evaluator itself carries out. */

const [a, b] = [typeParameter("A"), typeParameter("B")];

/** Comparing ends with the shorter of two values. */
function comparisonEstimate(_: Estimated | undefined, [left, right]: readonly Estimated[]): CallEstimate | undefined {
	if (left === undefined || right === undefined) return undefined;
	const max = Math.min(left.size.max, right.size.max);
	return { cost: scaleRange({ min: max > 0 ? 1 : 0, max }, perCharacter) };
}

/** Values of Kubernetes' libraries compare in constant time, or as texts of a limited length. */
function equalityEstimate(target: Estimated | undefined, args: readonly Estimated[]): CallEstimate | undefined {
	const [left, right] = args;
	if (left === undefined || right === undefined || !sameType(left.type, right.type))
		return comparisonEstimate(target, args);
	const { kind, name } = left.type;
	if ((kind !== "object" && kind !== "opaque") || !/^(kubernetes|net)\./.test(name))
		return comparisonEstimate(target, args);
	if (name === "kubernetes.URL") return { cost: scaleRange({ min: 1, max: right.size.max }, perCharacter) };
	return { cost: name === "kubernetes.NamedFormat" ? scaleRange({ min: 1, max: 64 }, perCharacter) : one };
}

const texts = {
	cost: { before: (args: readonly unknown[]) => comparison(args[0], args[1]) },
	estimate: comparisonEstimate,
};

/** The pairs of types that have an order. */
function orderOverloads(name: string): Overload[] {
	const types: [string, Type][] = [
		["bool", boolType],
		["int64", intType],
		["uint64", uintType],
		["double", doubleType],
		["string", stringType],
		["bytes", bytesType],
		["timestamp", timestampType],
		["duration", durationType],
	];
	const numbers = types.slice(1, 4);
	const isText = (type: Type) => type === stringType || type === bytesType;
	const same = types.map(([id, type]) =>
		global(`${name}_${id}`, [type, type], boolType, undefined, isText(type) ? texts : undefined),
	);
	const mixed = numbers.flatMap(([id, type]) =>
		numbers
			.filter(([, other]) => other !== type)
			.map(([otherId, other]) => global(`${name}_${id}_${otherId}`, [type, other], boolType)),
	);
	return [...same, ...mixed];
}

function conditionalEstimate(_: Estimated | undefined, args: readonly Estimated[]): CallEstimate | undefined {
	const [, whenTrue, whenFalse] = args;
	if (whenTrue === undefined || whenFalse === undefined) return undefined;
	return { cost: { min: 0, max: 0 }, size: unionOfRanges(whenTrue.size, whenFalse.size) };
}

export const comparisons: readonly FunctionDeclaration[] = [
	{ name: "_<_", checksArguments: true, run: (x, y) => compare(x, y) < 0, overloads: orderOverloads("less") },
	{ name: "_<=_", checksArguments: true, run: (x, y) => compare(x, y) <= 0, overloads: orderOverloads("less_equals") },
	{ name: "_>_", checksArguments: true, run: (x, y) => compare(x, y) > 0, overloads: orderOverloads("greater") },
	{
		name: "_>=_",
		checksArguments: true,
		run: (x, y) => compare(x, y) >= 0,
		overloads: orderOverloads("greater_equals"),
	},
	{ name: "_==_", overloads: [global("equals", [a, a], boolType)], estimate: equalityEstimate },
	{ name: "_!=_", overloads: [global("not_equals", [a, a], boolType)], estimate: comparisonEstimate },
	{
		name: "_?_:_",
		overloads: [global("conditional", [boolType, a, a], a)],
		estimate: conditionalEstimate,
	},
	{
		name: "@in",
		overloads: [
			global("in_list", [a, listType(a)], boolType, undefined, {
				estimate: (_, [, list]) => list && { cost: list.size },
			}),
			global("in_map", [a, mapType(a, b)], boolType),
		],
	},
	{
		name: "_[_]",
		overloads: [
			global("index_list", [listType(a), intType], a),
			global("index_map", [mapType(a, b), a], b),
			global("optional_list_index_int", [optionalType(listType(b)), intType], optionalType(b)),
			global("optional_map_index_value", [optionalType(mapType(a, b)), a], optionalType(b)),
		],
	},
	{
		name: "_[?_]",
		overloads: [
			global("list_optindex_optional_int", [listType(b), intType], optionalType(b)),
			global("optional_list_optindex_optional_int", [optionalType(listType(b)), intType], optionalType(b)),
			global("map_optindex_optional_value", [mapType(a, b), a], optionalType(b)),
			global("optional_map_optindex_optional_value", [optionalType(mapType(a, b)), a], optionalType(b)),
		],
	},
];
