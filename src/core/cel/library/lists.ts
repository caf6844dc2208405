import { callCost, newListCost } from "../cost/factors.ts";
import { addRanges, fixed, multiplyRanges, type Range, scaleRange, unbounded } from "../cost/range.ts";
import { selfComparison, sizeOf } from "../cost/size.ts";
import {
	boolType,
	bytesType,
	doubleType,
	durationType,
	dynType,
	intType,
	listType,
	stringType,
	type Type,
	timestampType,
	typeParameter,
	uintType,
} from "../types/type.ts";
import { fail } from "../values/failure.ts";
import type { Int } from "../values/integers.ts";
import { isInt } from "../values/kind.ts";
import { sortByKeys } from "../values/sorting.ts";
import { equal } from "../values/value.ts";
import { countWork } from "../values/work.ts";
import {
	type CallEstimate,
	type Estimate,
	type Estimated,
	type FunctionDeclaration,
	global,
	member,
} from "./function.ts";

/** The lists library at version 3. */

const listOfT = listType(typeParameter("T"));

/** Types with an order, by which lists may be sorted. */
export const comparableTypes: readonly Type[] = [
	intType,
	uintType,
	doubleType,
	boolType,
	durationType,
	timestampType,
	stringType,
	bytesType,
];

function slice(list: readonly unknown[], start: Int, end: Int): unknown[] {
	const what = `cannot slice(${start}, ${end})`;
	if (start < 0 || end < 0) fail(`${what}, negative indexes not supported`);
	if (start > end) fail(`${what}, start index must be less than or equal to end index`);
	if (list.length < end) fail(`${what}, list is length ${list.length}`);
	return list.slice(Number(start), Number(end));
}

function flatten(list: readonly unknown[], depth: Int = 1): unknown[] {
	if (depth < 0) fail("level must be non-negative");
	const flat: unknown[] = [];
	const add = (items: readonly unknown[], level: number) => {
		countWork(items.length);
		for (const item of items) {
			if (level > 0 && Array.isArray(item)) add(item, level - 1);
			else flat.push(item);
		}
	};
	add(list, Number(depth));
	return flat;
}

function distinct(list: readonly unknown[]): unknown[] {
	const found: unknown[] = [];
	for (const item of list) if (!found.some((known) => equal(item, known))) found.push(item);
	return found;
}

function range(count: Int): number[] {
	return Array.from({ length: Math.max(0, Number(count)) }, (_, index) => index);
}

/** The cost of making a list of this many items. */
function allocation(size: number, factor = 1): number {
	return Math.floor(size * factor) + callCost + newListCost;
}

function allocationEstimate(factor: number, size: Range): CallEstimate {
	return { cost: addRanges(scaleRange(size, factor), fixed(callCost + newListCost)), size };
}

/** A literal that is an int, from zero on; otherwise `otherwise`. */
function literalOr(argument: Estimated | undefined, otherwise: number): number {
	return isInt(argument?.literal) ? Math.max(0, Number(argument.literal)) : otherwise;
}

const sliceEstimate: Estimate = (target, [start, end]) =>
	target && allocationEstimate(1, fixed(literalOr(end, target.size.max) - literalOr(start, 0)));

const flattenEstimate: Estimate = (target, [depth]) =>
	target && allocationEstimate(depth === undefined ? 1 : literalOr(depth, unbounded), target.size);

const square = (size: Range) => multiplyRanges(size, size);

function sortEstimate(type: Type): (size: Range | undefined) => CallEstimate | undefined {
	const factor = type === stringType || type === bytesType ? 2.1 : 2;
	return (size) => size && allocationEstimate(factor, square(size));
}

export const lists: readonly FunctionDeclaration[] = [
	{
		name: "slice",
		overloads: [
			member("list_slice", [listOfT, intType, intType], listOfT, slice, {
				cost: { after: (_, result) => allocation(sizeOf(result)) },
				estimate: sliceEstimate,
			}),
		],
	},
	{
		name: "flatten",
		overloads: [
			member("list_flatten", [listType(listOfT)], listOfT, flatten, {
				cost: { before: ([list]) => allocation(sizeOf(list)) },
				estimate: flattenEstimate,
			}),
			member("list_flatten_int", [listType(dynType), intType], listType(dynType), flatten, {
				cost: { before: ([list, depth]) => allocation(sizeOf(list), Number(depth)) },
				estimate: flattenEstimate,
			}),
		],
	},
	{
		name: "sort",
		run: (list: unknown[]) => sortByKeys(list, list),
		overloads: comparableTypes.map((type) =>
			member(`list_${type.name}_sort`, [listType(type)], listType(type), undefined, {
				cost: { before: ([list]) => (Array.isArray(list) ? selfComparison(list) : callCost) },
				estimate: (target) => sortEstimate(type)(target?.size),
			}),
		),
	},
	{
		name: "@sortByAssociatedKeys",
		run: sortByKeys,
		overloads: comparableTypes.map((type) =>
			member(`list_${type.name}_sortByAssociatedKeys`, [listOfT, listType(type)], listOfT, undefined, {
				estimate: (_, [keys]) => sortEstimate(type)(keys?.size),
			}),
		),
	},
	{
		name: "lists.range",
		overloads: [
			global("lists_range", [intType], listType(intType), range, {
				cost: { before: ([count]) => allocation(Math.max(0, Number(count))) },
				estimate: (_, [count]) => allocationEstimate(1, fixed(literalOr(count, unbounded))),
			}),
		],
	},
	{
		name: "reverse",
		overloads: [
			member("list_reverse", [listOfT], listOfT, (list: unknown[]) => list.toReversed(), {
				cost: { before: ([list]) => allocation(sizeOf(list)) },
				estimate: (target) => target && allocationEstimate(1, target.size),
			}),
		],
	},
	{
		name: "distinct",
		overloads: [
			member("list_distinct", [listOfT], listOfT, distinct, {
				cost: { before: ([list]) => (Array.isArray(list) ? selfComparison(list) : callCost) },
				estimate: (target) => target && allocationEstimate(2, square(target.size)),
			}),
		],
	},
];

/** The cost of looking for each item of one list in another, `times` times. */
function crossCost(times: number) {
	return {
		cost: { before: ([a, b]: readonly unknown[]) => callCost + Math.floor(sizeOf(a) * sizeOf(b) * times) },
		estimate: (_: Estimated | undefined, [a, b]: readonly Estimated[]): CallEstimate | undefined =>
			a && b && { cost: addRanges(scaleRange(multiplyRanges(a.size, b.size), times), fixed(callCost)) },
	};
}

function containsAll(list: readonly unknown[], part: readonly unknown[]): boolean {
	return part.every((item) => list.some((other) => equal(other, item)));
}

/** The sets library. */
export const sets: readonly FunctionDeclaration[] = [
	{
		name: "sets.contains",
		overloads: [global("list_sets_contains_list", [listOfT, listOfT], boolType, containsAll, crossCost(1))],
	},
	{
		name: "sets.equivalent",
		overloads: [
			global(
				"list_sets_equivalent_list",
				[listOfT, listOfT],
				boolType,
				(a: unknown[], b: unknown[]) => containsAll(a, b) && containsAll(b, a),
				crossCost(2),
			),
		],
	},
	{
		name: "sets.intersects",
		overloads: [
			global(
				"list_sets_intersects_list",
				[listOfT, listOfT],
				boolType,
				(a: unknown[], b: unknown[]) => a.some((item) => b.some((other) => equal(item, other))),
				crossCost(1),
			),
		],
	},
];
