import {
	boolType,
	bytesType,
	doubleType,
	durationType,
	dynType,
	intType,
	listType,
	mapType,
	nullType,
	optionalType,
	stringType,
	type Type,
	timestampType,
	typeType,
	uintType,
} from "../types/type.ts";
import { arithmetic } from "./arithmetic.ts";
import { comparisons } from "./comparisons.ts";
import { conversions } from "./conversions.ts";
import type { FunctionDeclaration } from "./function.ts";
import { optionals } from "./optionals.ts";
import { texts } from "./texts.ts";
import { times } from "./times.ts";

/** What the language itself has, with optional values. */
export const standardFunctions: readonly FunctionDeclaration[] = [
	...arithmetic,
	...comparisons,
	...conversions,
	...texts,
	...times,
	...optionals,
];

/** Types that expressions may name, by their names. */
export const standardTypes: ReadonlyMap<string, Type> = new Map<string, Type>([
	["bool", boolType],
	["bytes", bytesType],
	["double", doubleType],
	["int", intType],
	["list", listType(dynType)],
	["map", mapType(dynType, dynType)],
	["null_type", nullType],
	["string", stringType],
	["type", typeType()],
	["uint", uintType],
	["optional_type", optionalType(dynType)],
	["google.protobuf.Timestamp", timestampType],
	["google.protobuf.Duration", durationType],
]);
