/**
 * Protobuf messages as tables: the names of fields, their numbers and types. A table says how a message is written and
 * read, and TypeScript derives its type from it. Fields that a table does not name are passed over.
 */
import { WireReader } from "../../../core/protobuf/wire-reader.ts";
import { wireTypes } from "../../../core/protobuf/wire-types.ts";
import { WireWriter } from "../../../core/protobuf/wire-writer.ts";

/** How the values of a field are written and read. */
export interface FieldType<T> {
	readonly wireType: number;
	/** The value of a field that was not sent; such a value is not written. */
	absent(): T;
	isAbsent(value: T): boolean;
	write(writer: WireWriter, field: number, value: T): void;
	/** @param before what the field had until now: repeated fields come one by one */
	read(reader: WireReader, before: T): T;
}

export type Fields = Readonly<Record<string, readonly [number, FieldType<unknown>]>>;

/** What a message is written from: every field may be missing. */
export type Draft<F extends Fields> = { readonly [Name in keyof F]?: ValueOf<F[Name][1]> | undefined };
/** What was read: every field has a value; a message that was not sent is undefined. */
export type Values<F extends Fields> = { readonly [Name in keyof F]: ValueOf<F[Name][1]> };

type ValueOf<T> = T extends { absent(): infer V } ? V : never;

export interface Message<F extends Fields> extends FieldType<Draft<F> | undefined> {
	encode(value: Draft<F>): Buffer;
	/** @throws ApiError for bytes that are no such message */
	decode(bytes: Uint8Array): Values<F>;
}

function scalar<T extends string | number | boolean>(
	wireType: number,
	absent: T,
	write: (writer: WireWriter, field: number, value: T) => void,
	read: (reader: WireReader) => T,
): FieldType<T> {
	return { wireType, absent: () => absent, isAbsent: (value) => value === absent, write, read };
}

/** Whole numbers of every width, and enumerations; beyond 2^53 the nearest one. */
export const integer = scalar<number>(
	wireTypes.varint,
	0,
	(writer, field, value) => writer.integer(field, value),
	(reader) => reader.integer(),
);
export const flag = scalar<boolean>(
	wireTypes.varint,
	false,
	(writer, field, value) => writer.boolean(field, value),
	(reader) => reader.integer() !== 0,
);
export const text = scalar<string>(
	wireTypes.bytes,
	"",
	(writer, field, value) => writer.text(field, value),
	(reader) => reader.text(),
);

/** A repeated field, which is not packed. */
export function list<T>(type: FieldType<T>): FieldType<readonly NonNullable<T>[]> {
	return {
		wireType: type.wireType,
		absent: () => [],
		isAbsent: (values) => values.length === 0,
		write(writer, field, values) {
			for (const value of values) type.write(writer, field, value);
		},
		// What was read is a value.
		read: (reader, before) => [...before, type.read(reader, type.absent()) as NonNullable<T>],
	};
}

/** `map<string, string>` */
export const textMap: FieldType<Readonly<Record<string, string>>> = {
	wireType: wireTypes.bytes,
	absent: () => ({}),
	isAbsent: (entries) => Object.keys(entries).length === 0,
	write(writer, field, entries) {
		for (const [key, value] of Object.entries(entries))
			writer.message(field, () => {
				writer.text(1, key);
				writer.text(2, value);
			});
	},
	read(reader, before) {
		const outer = reader.enterLeaf();
		let [key, value] = ["", ""];
		for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
			if (tag === 8 + wireTypes.bytes) key = reader.text();
			else if (tag === 16 + wireTypes.bytes) value = reader.text();
			else reader.skip(tag);
		}
		reader.leaveLeaf(outer);
		return { ...before, [key]: value };
	},
};

export function message<F extends Fields>(fields: F): Message<F> {
	// The table says that each value is its field's.
	const entries = Object.entries(fields) as [string, readonly [number, FieldType<unknown>]][];
	const byTag = new Map(entries.map(([name, [number, type]]) => [number * 8 + type.wireType, { name, type }]));
	const write = (writer: WireWriter, value: Draft<F>) => {
		for (const [name, [number, type]] of entries) {
			const one: unknown = value[name];
			if (one !== undefined && !type.isAbsent(one)) type.write(writer, number, one);
		}
	};
	const read = (reader: WireReader): Values<F> => {
		const values: Record<string, unknown> = {};
		for (const [name, [, type]] of entries) values[name] = type.absent();
		for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
			const known = byTag.get(tag);
			if (known === undefined) reader.skip(tag);
			else values[known.name] = known.type.read(reader, values[known.name]);
		}
		return values as Values<F>;
	};
	return {
		wireType: wireTypes.bytes,
		absent: () => undefined,
		isAbsent: (value) => value === undefined,
		write: (writer, field, value) => writer.message(field, () => write(writer, value ?? {})),
		read(reader) {
			const outer = reader.enter();
			const values = read(reader);
			reader.leave(outer);
			return values;
		},
		encode(value) {
			const writer = new WireWriter();
			write(writer, value);
			return writer.bytes();
		},
		decode: (bytes) => read(new WireReader(bytes)),
	};
}
