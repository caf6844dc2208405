import { perCharacter } from "../cost/factors.ts";
import { scaleRange } from "../cost/range.ts";
import {
	boolType,
	bytesType,
	doubleType,
	durationType,
	dynType,
	intType,
	stringType,
	type Type,
	timestampType,
	typeParameter,
	typeType,
	uintType,
} from "../types/type.ts";
import { type Duration, parseDuration } from "../values/duration.ts";
import { fail } from "../values/failure.ts";
import { type Int, intOf, isInt64, isUint64, uintOf } from "../values/integers.ts";
import { asDouble, doubleOf, typeNameOf } from "../values/kind.ts";
import { doubleText } from "../values/text.ts";
import { parseTimestamp, type Timestamp, timestampOf } from "../values/timestamp.ts";
import { TypeValue, Uint } from "../values/value.ts";
import { visitsFirst } from "./costs.ts";
import { type Estimate, type FunctionDeclaration, global } from "./function.ts";

/** `int(x)`, `string(x)` and so on. */

const a = typeParameter("A");

const identity = (value: unknown) => value;

/** A conversion of a string, which fails for texts that are no such value. */
function fromText(typeName: string, parse: (text: string) => unknown): (text: string) => unknown {
	return (text) => parse(text) ?? fail(`type conversion error from 'string' to '${typeName}'`);
}

const boolTexts = new Map<string, boolean>([
	...["1", "t", "T", "TRUE", "true", "True"].map((text) => [text, true] as const),
	...["0", "f", "F", "FALSE", "false", "False"].map((text) => [text, false] as const),
]);

function parseInteger(text: string, isSigned: boolean): bigint | undefined {
	// Longer ones do not fit; leading zeros are allowed.
	if (!(isSigned ? /^[+-]?0*\d{1,20}$/ : /^0*\d{1,20}$/).test(text)) return undefined;
	const magnitude = BigInt(text.replace(/^[+-]/, ""));
	return text.startsWith("-") ? -magnitude : magnitude;
}

function intFromText(text: string): Int | undefined {
	const value = parseInteger(text, true);
	return value !== undefined && isInt64(value) ? intOf(value) : undefined;
}

function uintFromText(text: string): Uint | undefined {
	const value = parseInteger(text, false);
	return value !== undefined && isUint64(value) ? new Uint(value) : undefined;
}

function doubleFromText(text: string): unknown {
	if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) {
		const value = Number(text);
		return Number.isFinite(value) ? asDouble(value) : undefined;
	}
	const word = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
	if (word === null) return undefined;
	if (word[2]?.toLowerCase() === "nan") return Number.NaN;
	return word[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function wholePart(value: unknown): bigint {
	return BigInt(Math.trunc(doubleOf(value) ?? 0));
}

function doubleToInt(value: unknown): Int {
	const number = doubleOf(value) ?? Number.NaN;
	if (!(number > -(2 ** 63) && number < 2 ** 63)) fail("integer overflow");
	return intOf(wholePart(value));
}

function doubleToUint(value: unknown): Uint {
	const number = doubleOf(value) ?? Number.NaN;
	if (!(number >= 0 && number < 2 ** 64)) fail("unsigned integer overflow");
	return uintOf(wholePart(value));
}

function bytesToText(bytes: Uint8Array): string {
	try {
		return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
	} catch {
		return fail("invalid UTF-8 in bytes, cannot convert to string");
	}
}

const text = visitsFirst();

/** Each character has up to four bytes. */
const bytesOfText: Estimate = (_, [argument]) =>
	argument && {
		cost: scaleRange(argument.size, perCharacter),
		size: { min: argument.size.min, max: argument.size.max * 4 },
	};

const textOfBytes: Estimate = (_, [argument]) =>
	argument && {
		cost: scaleRange(argument.size, perCharacter),
		size: { min: Math.floor(argument.size.min / 4), max: argument.size.max },
	};

function conversion(
	name: string,
	to: Type,
	from: readonly [string, Type, (value: never) => unknown][],
): FunctionDeclaration {
	return { name, overloads: from.map(([id, type, run]) => global(id, [type], to, run)) };
}

export const conversions: readonly FunctionDeclaration[] = [
	{ name: "type", overloads: [global("type", [a], typeType(a), (value: unknown) => new TypeValue(typeNameOf(value)))] },
	{ name: "dyn", overloads: [global("to_dyn", [a], dynType, identity)] },
	conversion("bool", boolType, [
		["bool_to_bool", boolType, identity],
		["string_to_bool", stringType, fromText("bool", (value) => boolTexts.get(value))],
	]),
	{
		name: "bytes",
		overloads: [
			global("bytes_to_bytes", [bytesType], bytesType, identity),
			global("string_to_bytes", [stringType], bytesType, (value: string) => new Uint8Array(Buffer.from(value)), {
				cost: text.cost,
				estimate: bytesOfText,
			}),
		],
	},
	conversion("double", doubleType, [
		["double_to_double", doubleType, identity],
		["int64_to_double", intType, (value: Int) => asDouble(Number(value))],
		["string_to_double", stringType, fromText("double", doubleFromText)],
		["uint64_to_double", uintType, (value: Uint) => asDouble(Number(value.value))],
	]),
	conversion("duration", durationType, [
		["duration_to_duration", durationType, identity],
		["string_to_duration", stringType, fromText("google.protobuf.Duration", parseDuration)],
	]),
	conversion("int", intType, [
		["int64_to_int64", intType, identity],
		["double_to_int64", doubleType, doubleToInt],
		["duration_to_int64", durationType, (value: Duration) => intOf(value.nanos)],
		["string_to_int64", stringType, fromText("int", intFromText)],
		["timestamp_to_int64", timestampType, (value: Timestamp) => value.seconds],
		["uint64_to_int64", uintType, (value: Uint) => intOf(value.value)],
	]),
	{
		name: "string",
		overloads: [
			global("string_to_string", [stringType], stringType, identity),
			global("bool_to_string", [boolType], stringType, String),
			global("bytes_to_string", [bytesType], stringType, bytesToText, { cost: text.cost, estimate: textOfBytes }),
			global("double_to_string", [doubleType], stringType, (value: unknown) => doubleText(doubleOf(value) ?? 0)),
			global("duration_to_string", [durationType], stringType, (value: Duration) => value.text()),
			global("int64_to_string", [intType], stringType, String),
			global("timestamp_to_string", [timestampType], stringType, (value: Timestamp) => value.text()),
			global("uint64_to_string", [uintType], stringType, (value: Uint) => String(value.value)),
		],
	},
	conversion("timestamp", timestampType, [
		["timestamp_to_timestamp", timestampType, identity],
		["int64_to_timestamp", intType, (value: Int) => timestampOf(Number(value), 0)],
		["string_to_timestamp", stringType, fromText("google.protobuf.Timestamp", parseTimestamp)],
	]),
	conversion("uint", uintType, [
		["uint64_to_uint64", uintType, identity],
		["double_to_uint64", doubleType, doubleToUint],
		["int64_to_uint64", intType, (value: Int) => uintOf(BigInt(value))],
		["string_to_uint64", stringType, fromText("uint", uintFromText)],
	]),
];
