import {
	boolType,
	doubleType,
	durationType,
	intType,
	listType,
	type Type,
	typeParameter,
	uintType,
} from "../../types/type.ts";
import { compare } from "../../values/compare.ts";
import { Duration, durationOf } from "../../values/duration.ts";
import { fail } from "../../values/failure.ts";
import { addInts, type Int, uintOf } from "../../values/integers.ts";
import { asDouble, doubleOf } from "../../values/kind.ts";
import { equal, type Uint } from "../../values/value.ts";
import { searchesFirst } from "../costs.ts";
import { type FunctionDeclaration, member } from "../function.ts";
import { comparableTypes } from "../lists.ts";

/** Kubernetes' own functions of lists. */

const a = typeParameter("A");

function isSorted(list: readonly unknown[]): boolean {
	for (let index = 1; index < list.length; index++) if (compare(list[index - 1], list[index]) > 0) return false;
	return true;
}

/** The item that sorts first (`sign` 1) or last (-1). */
function extreme(name: string, sign: 1 | -1): (list: readonly unknown[]) => unknown {
	return (list) => {
		if (list.length === 0) fail(`${name} called on empty list`);
		return list.reduce((best, item) => (compare(best, item) * sign > 0 ? item : best));
	};
}

const sums: readonly [string, Type, (list: never) => unknown][] = [
	["int", intType, (list: readonly Int[]) => list.reduce(addInts, 0)],
	["uint", uintType, (list: readonly Uint[]) => uintOf(list.reduce((sum, item) => sum + item.value, 0n))],
	[
		"double",
		doubleType,
		(list: readonly unknown[]) => asDouble(list.reduce<number>((sum, item) => sum + (doubleOf(item) ?? 0), 0)),
	],
	["duration", durationType, sumOfDurations],
];

function sumOfDurations(list: readonly Duration[]): Duration {
	return list.reduce((sum, item) => durationOf(sum.nanos + item.nanos), new Duration(0n));
}

/** Names of types as the names of overloads have them. */
const shortName = (type: Type) => type.kind;

function ofComparable(
	name: string,
	suffix: (type: string) => string,
	result: (type: Type) => Type,
	run: (list: readonly unknown[]) => unknown,
): FunctionDeclaration {
	return {
		name,
		run,
		cost: searchesFirst.cost,
		estimate: searchesFirst.estimate,
		overloads: comparableTypes.map((type) =>
			member(`list_${shortName(type)}_${suffix(shortName(type))}`, [listType(type)], result(type)),
		),
	};
}

function indexOf(list: readonly unknown[], item: unknown): number {
	return list.findIndex((other) => equal(other, item));
}

function lastIndexOf(list: readonly unknown[], item: unknown): number {
	return list.findLastIndex((other) => equal(other, item));
}

export const kubernetesLists: readonly FunctionDeclaration[] = [
	ofComparable(
		"isSorted",
		() => "is_sorted_bool",
		() => boolType,
		isSorted,
	),
	ofComparable(
		"max",
		(type) => `max_${type}`,
		(type) => type,
		extreme("max", -1),
	),
	ofComparable(
		"min",
		(type) => `min_${type}`,
		(type) => type,
		extreme("min", 1),
	),
	{
		name: "sum",
		...searchesFirst,
		overloads: sums.map(([name, type, run]) => member(`list_${name}_sum_${name}`, [listType(type)], type, run)),
	},
	{ name: "indexOf", ...searchesFirst, overloads: [member("list_a_index_of_int", [listType(a), a], intType, indexOf)] },
	{
		name: "lastIndexOf",
		...searchesFirst,
		overloads: [member("list_a_last_index_of_int", [listType(a), a], intType, lastIndexOf)],
	},
];
