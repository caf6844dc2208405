/**
 * Encodes Kubernetes' objects as protobuf messages with tables that are built once per type. The bytes equal upstream's:
 * fields are in the order of their numbers, some are sent even if they are empty, and maps are in the order of their keys.
 */
import { isRecord } from "../../../core/object.ts";
import { WireWriter } from "../../../core/protobuf/wire-writer.ts";
import { builtinSchemas } from "../../../kinds/builtin-schemas.ts";
import type { FieldSchema, TypeSchema } from "../../../kinds/engine/type-schema.ts";
import { answerFields } from "./answer-types.ts";
import { type NumberedField, numberedFields } from "./field-numbers.ts";
import { isEmpty, scalarWriter, type WriteValue } from "./scalar-writers.ts";
import { unionFields, unionMessage } from "./unions.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Writes one field of an object, unless it is absent. */
type WriteField = (writer: WireWriter, object: Fields) => void;

/** Shared by all messages, because encoding is synchronous. */
let writer = new WireWriter();
/** Buffers of larger messages are not kept. */
const mostKept = 1024 * 1024;

/** @param type a name in the built-in schemas that has field numbers */
export function encodeObject(object: object, type: string): Buffer {
	writer.reset();
	// Objects are read by the names of their fields.
	messageEncoder(type).write(writer, object as Fields);
	const bytes = writer.bytes();
	if (writer.capacity > mostKept) writer = new WireWriter();
	return bytes;
}

class MessageEncoder {
	readonly #type: string;
	readonly #schema: TypeSchema;
	/** In the order of their numbers; built with the first message, because types contain each other. */
	#fields: readonly WriteField[] | undefined;

	constructor(type: string, schema: TypeSchema) {
		this.#type = type;
		this.#schema = schema;
	}

	write(to: WireWriter, object: Fields): void {
		this.#fields ??= fieldEncoders(this.#type, this.#schema);
		for (const field of this.#fields) field(to, object);
	}
}

const encoders = new Map<string, MessageEncoder>();

function messageEncoder(type: string): MessageEncoder {
	let encoder = encoders.get(type);
	if (encoder === undefined) {
		const schema = builtinSchemas.type(type) ?? unionFields(type) ?? answerFields(type) ?? {};
		encoder = new MessageEncoder(type, schema);
		encoders.set(type, encoder);
	}
	return encoder;
}

function fieldEncoders(type: string, schema: TypeSchema): WriteField[] {
	return numberedFields(type).flatMap((numbered) => {
		if (numbered.embedded) return [embedded(numbered, schema)];
		const field = schema[numbered.name];
		return field === undefined ? [] : [fieldEncoder(type, numbered, field)];
	});
}

/** An embedded message with fields of the outer type; always present. */
function embedded({ number, name }: NumberedField, outer: TypeSchema): WriteField {
	const encoder = new MessageEncoder(name, outer);
	return (to, object) => {
		const start = to.begin(number);
		encoder.write(to, object);
		to.end(start);
	};
}

function fieldEncoder(type: string, { number, name, optional }: NumberedField, field: FieldSchema): WriteField {
	const write = valueWriter(field.type);
	if (field.of === "array") {
		if (type === "APIResource" && name === "verbs") return inMessage(number, list(1, name, write));
		return list(number, name, write);
	}
	if (field.of !== undefined) return map(number, name, field.of === "arrayMap" ? itemsWriter(write) : write);
	const isScalar = scalarWriter(field.type) !== undefined;
	const isAlways = isScalar ? !optional && field.type !== "bytes" : isEmpty(field.default);
	// For undefined, scalars are written as their empty value, messages as one without fields.
	if (isAlways) return (to, object) => write(to, number, object[name]);
	return (to, object) => {
		const value = object[name];
		if (value !== undefined && value !== null) write(to, number, value);
	};
}

function valueWriter(type: string): WriteValue {
	const scalar = scalarWriter(type);
	if (scalar !== undefined) return scalar;
	const encoder = messageEncoder(type);
	const isUnion = unionFields(type) !== undefined;
	return (to, number, value) => {
		const start = to.begin(number);
		const message = isUnion ? unionMessage(type, value) : value;
		encoder.write(to, isRecord(message) ? message : {});
		to.end(start);
	};
}

function list(number: number, name: string, write: WriteValue): WriteField {
	return (to, object) => {
		const items = object[name];
		if (Array.isArray(items)) for (const item of items) write(to, number, item);
	};
}

/** Only for `APIResource.verbs`: an empty list that differs from an absent one. */
function inMessage(number: number, write: WriteField): WriteField {
	return (to, object) => {
		const start = to.begin(number);
		write(to, object);
		to.end(start);
	};
}

/** An entry is a message of key and value. */
function map(number: number, name: string, write: WriteValue): WriteField {
	return (to, object) => {
		const entries = object[name];
		if (!isRecord(entries)) return;
		for (const key of Object.keys(entries).sort()) {
			const start = to.begin(number);
			to.text(1, key);
			write(to, 2, entries[key]);
			to.end(start);
		}
	};
}

/** A list as the value of a map is a message with the items as its first field. */
function itemsWriter(write: WriteValue): WriteValue {
	return (to, number, value) => {
		const start = to.begin(number);
		if (Array.isArray(value)) for (const item of value) write(to, 1, item);
		to.end(start);
	};
}
