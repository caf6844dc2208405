import { perCharacter } from "../cost/factors.ts";
import { addRanges, one, scale, scaleRange } from "../cost/range.ts";
import { sizeOf } from "../cost/size.ts";
import {
	boolType,
	bytesType,
	doubleType,
	durationType,
	intType,
	listType,
	stringType,
	timestampType,
	typeParameter,
	uintType,
} from "../types/type.ts";
import { Duration, durationOf } from "../values/duration.ts";
import { fail, noSuchOverload } from "../values/failure.ts";
import {
	addInts,
	divideInts,
	type Int,
	moduloInts,
	multiplyInts,
	negateInt,
	subtractInts,
	uintOf,
} from "../values/integers.ts";
import { asDouble, doubleOf, isInt } from "../values/kind.ts";
import { joinLists, semanticsOf } from "../values/list-semantics.ts";
import { addDuration, Timestamp, timeBetween } from "../values/timestamp.ts";
import { Uint } from "../values/value.ts";
import { checkTextLength, countWork } from "../values/work.ts";
import { type CallEstimate, type Estimated, type FunctionDeclaration, global } from "./function.ts";

/** Operators of arithmetic. Each looks at its operands when it runs: their types may be known only then. */

const listOfA = listType(typeParameter("A"));

const concatenation = {
	cost: { before: (args: readonly unknown[]) => scale(sizeOf(args[0]) + sizeOf(args[1]), perCharacter) },
	estimate: (_: Estimated | undefined, [a, b]: readonly Estimated[]): CallEstimate | undefined => {
		const size = a && b && addRanges(a.size, b.size);
		return size && { cost: scaleRange(size, perCharacter), size };
	},
};

const listConcatenation = {
	estimate: (_: Estimated | undefined, [a, b]: readonly Estimated[]): CallEstimate | undefined =>
		a && b && { cost: one, size: addRanges(a.size, b.size) },
};

export const arithmetic: readonly FunctionDeclaration[] = [
	{
		name: "_+_",
		checksArguments: true,
		run: add,
		overloads: [
			global("add_bytes", [bytesType, bytesType], bytesType, undefined, concatenation),
			global("add_double", [doubleType, doubleType], doubleType),
			global("add_duration_duration", [durationType, durationType], durationType),
			global("add_duration_timestamp", [durationType, timestampType], timestampType),
			global("add_timestamp_duration", [timestampType, durationType], timestampType),
			global("add_int64", [intType, intType], intType),
			global("add_list", [listOfA, listOfA], listOfA, undefined, listConcatenation),
			global("add_string", [stringType, stringType], stringType, undefined, concatenation),
			global("add_uint64", [uintType, uintType], uintType),
		],
	},
	{
		name: "_-_",
		checksArguments: true,
		run: subtract,
		overloads: [
			global("subtract_double", [doubleType, doubleType], doubleType),
			global("subtract_duration_duration", [durationType, durationType], durationType),
			global("subtract_int64", [intType, intType], intType),
			global("subtract_timestamp_duration", [timestampType, durationType], timestampType),
			global("subtract_timestamp_timestamp", [timestampType, timestampType], durationType),
			global("subtract_uint64", [uintType, uintType], uintType),
		],
	},
	{
		name: "_*_",
		checksArguments: true,
		run: numeric(
			multiplyInts,
			(a, b) => a * b,
			(a, b) => a * b,
		),
		overloads: numbers("multiply"),
	},
	{
		name: "_/_",
		checksArguments: true,
		run: numeric(
			divideInts,
			(a, b) => (b === 0n ? fail("division by zero") : a / b),
			(a, b) => a / b,
		),
		overloads: numbers("divide"),
	},
	{
		name: "_%_",
		checksArguments: true,
		run: numeric(moduloInts, (a, b) => (b === 0n ? fail("modulus by zero") : a % b), undefined),
		overloads: numbers("modulo").filter(({ id }) => id !== "modulo_double"),
	},
	{
		name: "-_",
		checksArguments: true,
		run: negate,
		overloads: [global("negate_double", [doubleType], doubleType), global("negate_int64", [intType], intType)],
	},
	{ name: "!_", overloads: [global("logical_not", [boolType], boolType, (value: boolean) => !value)] },
];

function numbers(name: string) {
	return [
		global(`${name}_double`, [doubleType, doubleType], doubleType),
		global(`${name}_int64`, [intType, intType], intType),
		global(`${name}_uint64`, [uintType, uintType], uintType),
	];
}

function add(a: unknown, b: unknown): unknown {
	if (typeof a === "string") return typeof b === "string" ? joinedTexts(a, b) : noSuchOverload();
	if (Array.isArray(a)) return Array.isArray(b) ? concatenated(a, b) : noSuchOverload();
	if (a instanceof Uint8Array) return b instanceof Uint8Array ? joinedBytes(a, b) : noSuchOverload();
	if (a instanceof Duration && b instanceof Duration) return durationOf(a.nanos + b.nanos);
	if (a instanceof Timestamp && b instanceof Duration) return addDuration(a, b);
	if (a instanceof Duration && b instanceof Timestamp) return addDuration(b, a);
	return addNumbers(a, b);
}

function joinedTexts(a: string, b: string): string {
	checkTextLength(a.length + b.length);
	return a + b;
}

function joinedBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
	countWork(a.length + b.length);
	return new Uint8Array(Buffer.concat([a, b]));
}

function concatenated(a: readonly unknown[], b: readonly unknown[]): unknown[] {
	countWork(a.length + b.length);
	const semantics = semanticsOf(a);
	return semantics === undefined ? a.concat(b) : joinLists(a, b, semantics);
}

function subtract(a: unknown, b: unknown): unknown {
	if (a instanceof Duration && b instanceof Duration) return durationOf(a.nanos - b.nanos);
	if (a instanceof Timestamp && b instanceof Duration) return addDuration(a, new Duration(-b.nanos));
	if (a instanceof Timestamp && b instanceof Timestamp) return timeBetween(a, b);
	return subtractNumbers(a, b);
}

/** The operator on two numbers of one type. */
function numeric(
	ofInts: (a: Int, b: Int) => Int,
	ofUints: (a: bigint, b: bigint) => bigint,
	ofDoubles: ((a: number, b: number) => number) | undefined,
): (a: unknown, b: unknown) => unknown {
	return (a, b) => {
		if (isInt(a) && isInt(b)) return ofInts(a, b);
		if (a instanceof Uint && b instanceof Uint) return uintOf(ofUints(a.value, b.value));
		const [left, right] = [doubleOf(a), doubleOf(b)];
		if (ofDoubles === undefined || left === undefined || right === undefined) return noSuchOverload();
		return asDouble(ofDoubles(left, right));
	};
}

const addNumbers = numeric(
	addInts,
	(a, b) => a + b,
	(a, b) => a + b,
);
const subtractNumbers = numeric(
	subtractInts,
	(a, b) => a - b,
	(a, b) => a - b,
);

function negate(value: unknown): unknown {
	if (isInt(value)) return negateInt(value);
	const double = doubleOf(value);
	return double === undefined ? noSuchOverload() : asDouble(-double);
}
