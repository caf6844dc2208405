/** Writes JSON as protobuf, by a table of messages. Only what OpenAPI needs of the format. */

/** How a field's value is written. A name is that of a message in the table. */
export interface ProtoField {
	number: number;
	/**
	 * `string`, `boolean`, `integer`, `double`, `yaml` (any value, as text), `strings` (a message of one list, or of one
	 * string alone), or a message.
	 */
	type: string;
	/** `list`: repeated; `map`: an object whose entries are repeated messages of name and value, inside of `wrapper`. */
	as?: "list" | "map";
	/** Field number of the entries in the message that holds a map. */
	entries?: number;
}

export interface ProtoMessage {
	fields: Readonly<Record<string, ProtoField>>;
	/** Number of the field that takes all other keys, as named values. */
	others?: { number: number; type: string };
	/** Keys among `others` begin with this; the rest is left out. */
	othersPrefix?: string;
	/** Instead of fields: the number and message of the one of several forms that the value has. */
	oneOf?: (value: Record<string, unknown>) => { number: number; type: string };
}

export type ProtoTable = Readonly<Record<string, ProtoMessage>>;

/** The message, encoded. Fields that the table lacks are left out. */
export function encodeMessage(value: unknown, type: string, table: ProtoTable): Buffer {
	const parts: Buffer[] = [];
	writeMessage(parts, value, type, table);
	return Buffer.concat(parts);
}

type Parts = Buffer[];

function writeMessage(parts: Parts, value: unknown, type: string, table: ProtoTable): void {
	const message = table[type];
	if (message === undefined) throw new Error(`no protobuf message ${type}`);
	if (typeof value !== "object" || value === null) return;
	// Not null and no scalar: an object of JSON.
	const object = value as Record<string, unknown>;
	if (message.oneOf !== undefined) {
		const form = message.oneOf(object);
		writeField(parts, form, object, table);
		return;
	}
	for (const [key, content] of Object.entries(object)) {
		if (content === undefined) continue;
		const field = message.fields[key];
		if (field !== undefined) writeField(parts, field, content, table);
		else if (message.others !== undefined && key.startsWith(message.othersPrefix ?? ""))
			writeEntry(parts, message.others.number, key, content, message.others.type, table);
	}
}

function writeField(parts: Parts, field: ProtoField, value: unknown, table: ProtoTable): void {
	if (field.as === "list") {
		const items = Array.isArray(value) ? value : [value];
		for (const item of items) writeSingle(parts, field.number, field.type, item, table);
	} else if (field.as === "map") {
		const entries: Parts = [];
		for (const [key, content] of Object.entries(Object(value)))
			writeEntry(entries, field.entries ?? 1, key, content, field.type, table);
		writeBytes(parts, field.number, Buffer.concat(entries));
	} else writeSingle(parts, field.number, field.type, value, table);
}

/** A pair of name (1) and value (2). */
function writeEntry(parts: Parts, number: number, key: string, value: unknown, type: string, table: ProtoTable): void {
	const entry: Parts = [];
	writeBytes(entry, 1, Buffer.from(key));
	writeSingle(entry, 2, type, value, table);
	writeBytes(parts, number, Buffer.concat(entry));
}

function writeSingle(parts: Parts, number: number, type: string, value: unknown, table: ProtoTable): void {
	switch (type) {
		case "string":
			writeBytes(parts, number, Buffer.from(String(value)));
			break;
		case "boolean":
			if (value === true) parts.push(varint(number << 3), varint(1));
			break;
		case "integer":
			parts.push(varint(number << 3), varint(Number(value)));
			break;
		case "double": {
			const bytes = Buffer.alloc(8);
			bytes.writeDoubleLE(Number(value));
			parts.push(varint((number << 3) | 1), bytes);
			break;
		}
		case "yaml": {
			// Any value as text, which may be JSON: every JSON text is YAML.
			const any: Parts = [];
			writeBytes(any, 2, Buffer.from(`${JSON.stringify(value)}\n`));
			writeBytes(parts, number, Buffer.concat(any));
			break;
		}
		case "strings": {
			const strings: Parts = [];
			for (const item of Array.isArray(value) ? value : [value]) writeBytes(strings, 1, Buffer.from(String(item)));
			writeBytes(parts, number, Buffer.concat(strings));
			break;
		}
		default: {
			const message: Parts = [];
			writeMessage(message, value, type, table);
			writeBytes(parts, number, Buffer.concat(message));
		}
	}
}

function writeBytes(parts: Parts, number: number, bytes: Buffer): void {
	parts.push(varint((number << 3) | 2), varint(bytes.length), bytes);
}

function varint(value: number): Buffer {
	const bytes: number[] = [];
	let rest = value;
	while (rest >= 0x80) {
		bytes.push((rest % 0x80) | 0x80);
		rest = Math.floor(rest / 0x80);
	}
	bytes.push(rest);
	return Buffer.from(bytes);
}
