/** Writes values that are scalars in JSON. In protobuf, times and quantities are messages. */
import { isRecord } from "../../../core/object.ts";
import type { WireWriter } from "../../../core/protobuf/wire-writer.ts";
import { parseDuration } from "../../../core/time/duration.ts";

/** Writes a value with its field number; undefined as the empty value of its type. */
export type WriteValue = (writer: WireWriter, number: number, value: unknown) => void;

const text: WriteValue = (writer, number, value) =>
	writer.text(number, value === undefined || value === null ? "" : String(value));

const integer: WriteValue = (writer, number, value) => writer.integer(number, Number(value ?? 0));

const scalars = new Map<string, WriteValue>(
	Object.entries({
		string: text,
		int32: integer,
		int64: integer,
		number: (writer, number, value) => writer.double(number, Number(value ?? 0)),
		boolean: (writer, number, value) => writer.boolean(number, value === true),
		bytes: (writer, number, value) => writer.raw(number, Buffer.from(String(value ?? ""), "base64")),
		time: (writer, number, value) => writeTime(writer, number, value, false),
		microTime: (writer, number, value) => writeTime(writer, number, value, true),
		duration: writeDuration,
		quantity: writeQuantity,
		intOrString: writeIntOrString,
		any: writeJson,
	} satisfies Record<string, WriteValue>),
);

/** By a name of `FieldSchema`; undefined for a message. */
export function scalarWriter(type: string): WriteValue | undefined {
	return scalars.get(type);
}

/** An empty message is no time. Only `microTime` has fractions of a second. */
function writeTime(writer: WireWriter, number: number, value: unknown, hasFraction: boolean): void {
	const start = writer.begin(number);
	if (typeof value === "string" && value !== "") {
		const ms = Date.parse(value);
		const seconds = Math.floor(ms / 1000);
		writer.integer(1, seconds);
		writer.integer(2, hasFraction ? microsecondsOf(value) * 1000 : 0);
	}
	writer.end(start);
}

/** Computed from the digits: a float of milliseconds cannot represent every microsecond. */
function microsecondsOf(time: string): number {
	const at = time.indexOf(".");
	if (at < 0) return 0;
	const digits = /^\d{1,6}/.exec(time.slice(at + 1))?.[0] ?? "";
	return Number(digits.padEnd(6, "0"));
}

/** In nanoseconds. */
function writeDuration(writer: WireWriter, number: number, value: unknown): void {
	const start = writer.begin(number);
	writer.integer(1, typeof value === "string" ? Math.round(parseDuration(value) * 1e6) : 0);
	writer.end(start);
}

function writeQuantity(writer: WireWriter, number: number, value: unknown): void {
	const start = writer.begin(number);
	text(writer, 1, value ?? "0");
	writer.end(start);
}

function writeIntOrString(writer: WireWriter, number: number, value: unknown): void {
	const isText = typeof value === "string";
	const start = writer.begin(number);
	writer.integer(1, isText ? 1 : 0);
	writer.integer(2, isText ? 0 : Number(value ?? 0));
	writer.text(3, isText ? value : "");
	writer.end(start);
}

/** Free-form values are JSON in a message's first field. */
function writeJson(writer: WireWriter, number: number, value: unknown): void {
	const start = writer.begin(number);
	if (value !== undefined) writer.text(1, JSON.stringify(value));
	writer.end(start);
}

/** A value that represents a message without fields. */
export function isEmpty(value: unknown): boolean {
	return isRecord(value) && Object.keys(value).length === 0;
}
