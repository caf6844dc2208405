/** Reads values that are scalars in JSON. In protobuf, times and quantities are messages. */

import { malformed, type WireReader } from "../../../core/protobuf/wire-reader.ts";
import { wireTypes } from "../../../core/protobuf/wire-types.ts";
import { checkJsonBytes } from "../../../core/text/json-limits.ts";
import { timestamp } from "../../../core/time/clock.ts";

interface Scalar {
	wireType: number;
	/** Undefined for an empty value, such as a time without bytes. */
	read(reader: WireReader): unknown;
}

export const readText = (reader: WireReader): string => reader.text();

const readInteger = (reader: WireReader): number => reader.integer();

const integer: Scalar = { wireType: wireTypes.varint, read: readInteger };

const scalars = new Map<string, Scalar>(
	Object.entries({
		string: { wireType: wireTypes.bytes, read: readText },
		int32: integer,
		int64: integer,
		number: { wireType: wireTypes.fixed64, read: (reader) => reader.double() },
		boolean: { wireType: wireTypes.varint, read: (reader) => reader.integer() !== 0 },
		bytes: { wireType: wireTypes.bytes, read: (reader) => reader.bytes().toString("base64") },
		time: { wireType: wireTypes.bytes, read: (reader) => readTime(reader, false) },
		microTime: { wireType: wireTypes.bytes, read: (reader) => readTime(reader, true) },
		quantity: { wireType: wireTypes.bytes, read: (reader) => readFirst(reader) ?? "0" },
		intOrString: { wireType: wireTypes.bytes, read: readIntOrString },
		any: { wireType: wireTypes.bytes, read: readJson },
	} satisfies Record<string, Scalar>),
);

/** By a name of `FieldSchema`; undefined for a message. */
export function scalarOf(type: string): Scalar | undefined {
	return scalars.get(type);
}

const secondsTag = 8 + wireTypes.varint;
const nanosTag = 16 + wireTypes.varint;

/** An empty message is no time. */
function readTime(reader: WireReader, hasFraction: boolean): string | undefined {
	const outerEnd = reader.enterLeaf();
	if (reader.atEnd) {
		reader.leaveLeaf(outerEnd);
		return undefined;
	}
	let seconds = 0;
	let microseconds = 0;
	for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
		if (tag === secondsTag) seconds = reader.integer();
		else if (tag === nanosTag) microseconds = Math.floor(reader.integer() / 1000);
		else reader.skip(tag, 2);
	}
	reader.leaveLeaf(outerEnd);
	if (!(Math.abs(seconds) <= 8.64e12 && microseconds >= 0 && microseconds < 1e6)) throw malformed();
	const text = timestamp(seconds * 1000);
	// Inserted as digits: a float of milliseconds cannot represent every microsecond.
	return hasFraction ? text.replace("Z", `.${String(microseconds).padStart(6, "0")}Z`) : text;
}

const firstTextTag = 8 + wireTypes.bytes;

/** The text of a message that contains only text. */
function readFirst(reader: WireReader): string | undefined {
	let text: string | undefined;
	const outerEnd = reader.enterLeaf();
	for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
		if (tag === firstTextTag) text = reader.text();
		else reader.skip(tag, 1);
	}
	reader.leaveLeaf(outerEnd);
	return text;
}

const isTextTag = 8 + wireTypes.varint;
const numberTag = 16 + wireTypes.varint;
const textTag = 24 + wireTypes.bytes;

function readIntOrString(reader: WireReader): string | number {
	let isText = false;
	let number = 0;
	let text = "";
	const outerEnd = reader.enterLeaf();
	for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
		if (tag === isTextTag) isText = reader.integer() === 1;
		else if (tag === numberTag) number = reader.integer();
		else if (tag === textTag) text = reader.text();
		else reader.skip(tag, 3);
	}
	reader.leaveLeaf(outerEnd);
	return isText ? text : number;
}

/** Free-form values are JSON in a message's first field. */
function readJson(reader: WireReader): unknown {
	let bytes: Buffer | undefined;
	const outerEnd = reader.enterLeaf();
	for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
		if (tag === firstTextTag) bytes = reader.bytes();
		else reader.skip(tag, 1);
	}
	reader.leaveLeaf(outerEnd);
	if (bytes === undefined || bytes.length === 0) return undefined;
	checkJsonBytes(bytes);
	try {
		return JSON.parse(bytes.toString());
	} catch {
		throw malformed();
	}
}
