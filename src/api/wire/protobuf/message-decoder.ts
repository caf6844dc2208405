/** Decodes messages of Kubernetes' types with tables that are built once per type. */
import { setField } from "../../../core/object.ts";
import { malformed, type WireReader } from "../../../core/protobuf/wire-reader.ts";
import { wireTypes } from "../../../core/protobuf/wire-types.ts";
import { builtinSchemas } from "../../../kinds/builtin-schemas.ts";
import type { FieldSchema, TypeSchema } from "../../../kinds/engine/type-schema.ts";
import { type NumberedField, numberedFields } from "./field-numbers.ts";
import { readText, scalarOf } from "./scalars.ts";
import { unionFields, unionValue } from "./unions.ts";

export type Fields = Record<string, unknown>;

/** Reads the value of a field after its tag. */
type ReadValue = (reader: WireReader) => unknown;

interface FieldDecoder {
	/** A field with another wire type is rejected. */
	wireType: number;
	readInto(reader: WireReader, object: Fields): void;
	/** Reads a packed list: lists of numbers may be encoded as one value. */
	readPacked?: (reader: WireReader, object: Fields) => void;
}

export class MessageDecoder {
	readonly #type: string;
	readonly #schema: TypeSchema;
	/** By field number; built with the first message, because types contain each other. */
	#fields: readonly (FieldDecoder | undefined)[] | undefined;

	/** @param schema the type's fields, or those of the outer type for an embedded message */
	constructor(type: string, schema: TypeSchema) {
		this.#type = type;
		this.#schema = schema;
	}

	/** Reads to the end of the current message. Fields that are not in the table are skipped. */
	readInto(reader: WireReader, object: Fields): void {
		this.#fields ??= fieldDecoders(this.#type, this.#schema);
		const fields = this.#fields;
		for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
			const number = tag >>> 3;
			const field = number < fields.length ? fields[number] : undefined;
			if (field === undefined) reader.skip(tag);
			else if ((tag & 7) === field.wireType) field.readInto(reader, object);
			else if ((tag & 7) === wireTypes.bytes && field.readPacked !== undefined) field.readPacked(reader, object);
			else throw malformed();
		}
	}

	/** Reads a message that is a field's value. */
	read(reader: WireReader): Fields {
		const object: Fields = {};
		this.readValueInto(reader, object);
		return object;
	}

	readValueInto(reader: WireReader, object: Fields): void {
		const outerEnd = reader.enter();
		this.readInto(reader, object);
		reader.leave(outerEnd);
	}
}

const decoders = new Map<string, MessageDecoder>();

/** @param type a name in the built-in schemas */
export function messageDecoder(type: string): MessageDecoder {
	let decoder = decoders.get(type);
	if (decoder === undefined) {
		decoder = new MessageDecoder(type, builtinSchemas.type(type) ?? unionFields(type) ?? {});
		decoders.set(type, decoder);
	}
	return decoder;
}

function fieldDecoders(type: string, schema: TypeSchema): (FieldDecoder | undefined)[] {
	const fields: (FieldDecoder | undefined)[] = [];
	for (const numbered of numberedFields(type)) {
		const decoder = numbered.embedded ? embedded(numbered.name, schema) : fieldDecoder(numbered, schema[numbered.name]);
		// No holes: engines read arrays without them faster.
		while (fields.length < numbered.number) fields.push(undefined);
		fields[numbered.number] = decoder;
	}
	return fields;
}

function embedded(type: string, outer: TypeSchema): FieldDecoder {
	const decoder = new MessageDecoder(type, outer);
	return { wireType: wireTypes.bytes, readInto: (reader, object) => decoder.readValueInto(reader, object) };
}

function fieldDecoder({ name, optional }: NumberedField, field: FieldSchema | undefined): FieldDecoder | undefined {
	if (field === undefined) return undefined;
	if (field.of === "array") return list(name, field.type);
	if (field.of !== undefined) return { wireType: wireTypes.bytes, readInto: mapReader(name, field) };
	const { wireType, read } = valueDecoder(field.type);
	// A number or a percentage is a message: present if it is not zero, or if zero differs from the field's default.
	const keepsZero = optional || field.required === true || field.type === "intOrString";
	return {
		wireType,
		readInto(reader, object) {
			const value = read(reader);
			// Fields that are always sent may be empty; JSON omits those unless they are required.
			if (value === undefined || (value === "" && !optional)) return;
			if (keepsZero || (value !== 0 && value !== false)) object[name] = value;
		},
	};
}

function valueDecoder(type: string): { wireType: number; read: ReadValue } {
	const scalar = scalarOf(type);
	if (scalar !== undefined) return scalar;
	const decoder = messageDecoder(type);
	if (unionFields(type) !== undefined)
		return { wireType: wireTypes.bytes, read: (reader) => unionValue(decoder.read(reader)) };
	return { wireType: wireTypes.bytes, read: (reader) => decoder.read(reader) };
}

function list(name: string, type: string): FieldDecoder {
	const { wireType, read } = valueDecoder(type);
	const listOf = (object: Fields) => {
		object[name] ??= [];
		// The list was created here, by this or an earlier item.
		return object[name] as unknown[];
	};
	return {
		wireType,
		readInto(reader, object) {
			listOf(object).push(read(reader));
		},
		...(wireType === wireTypes.varint && {
			readPacked(reader: WireReader, object: Fields) {
				const items = listOf(object);
				const outerEnd = reader.enterLeaf();
				while (!reader.atEnd) {
					reader.count();
					items.push(read(reader));
				}
				reader.leaveLeaf(outerEnd);
			},
		}),
	};
}

const keyTag = 8 + wireTypes.bytes;

/** An entry is a message of key and value. */
function mapReader(name: string, { type, of }: FieldSchema): FieldDecoder["readInto"] {
	const single = valueDecoder(type);
	const isList = of === "arrayMap";
	const read = isList ? itemsReader(single) : single.read;
	const valueTag = 16 + (isList ? wireTypes.bytes : single.wireType);
	return (reader, object) => {
		let key = "";
		let value: unknown;
		const outerEnd = reader.enterLeaf();
		for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
			if (tag === keyTag) key = readText(reader);
			else if (tag === valueTag) value = read(reader);
			else reader.skip(tag, 2);
		}
		reader.leaveLeaf(outerEnd);
		object[name] ??= {};
		// The map was created here, by this or an earlier entry.
		setField(object[name] as Fields, key, value ?? emptyOf(type, isList));
	};
}

/** The value of an entry without a value. */
function emptyOf(type: string, isList: boolean): unknown {
	if (isList) return [];
	return type === "string" || type === "bytes" ? "" : type === "quantity" ? "0" : {};
}

/** A list as the value of a map is a message with the items as its first field. */
function itemsReader({ wireType, read }: { wireType: number; read: ReadValue }): ReadValue {
	return (reader) => {
		const items: unknown[] = [];
		const outerEnd = reader.enterLeaf();
		for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
			if (tag === 8 + wireType) items.push(read(reader));
			else reader.skip(tag, 1);
		}
		reader.leaveLeaf(outerEnd);
		return items;
	};
}
