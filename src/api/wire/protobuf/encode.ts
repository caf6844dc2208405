/** Encodes JSON as protobuf with a table of messages. Supports only what OpenAPI needs. */
import { isRecord } from "../../../core/object.ts";
import { WireWriter } from "../../../core/protobuf/wire-writer.ts";

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
	/** Instead of fields: the number and type of the one of several forms that the value has; undefined: none of them. */
	oneOf?: (value: unknown) => { number: number; type: string } | undefined;
}

export type ProtoTable = Readonly<Record<string, ProtoMessage>>;

/** Encodes a message. Fields that are not in the table are left out. */
export function encodeMessage(value: unknown, type: string, table: ProtoTable): Buffer {
	const encoder = new Encoder(table);
	encoder.fields(value, type);
	return encoder.writer.bytes();
}

class Encoder {
	readonly writer = new WireWriter();
	readonly #table: ProtoTable;

	constructor(table: ProtoTable) {
		this.#table = table;
	}

	/** The fields of a message of the type, without tag and length. */
	fields(value: unknown, type: string): void {
		const message = this.#table[type];
		if (message === undefined) throw new Error(`no protobuf message ${type}`);
		if (message.oneOf !== undefined) {
			const form = message.oneOf(value);
			// Here false says something: that it is this form.
			if (form?.type === "boolean") this.writer.boolean(form.number, value === true);
			else if (form !== undefined) this.#single(form.number, form.type, value);
			return;
		}
		if (!isRecord(value)) return;
		for (const [key, content] of Object.entries(value)) {
			if (content === undefined) continue;
			const field = message.fields[key];
			if (field !== undefined) this.#field(field, content);
			else if (message.others !== undefined && key.startsWith(message.othersPrefix ?? ""))
				this.#entry(message.others.number, key, content, message.others.type);
		}
	}

	#field({ number, type, as, entries = 1 }: ProtoField, value: unknown): void {
		if (as === "list") {
			for (const item of Array.isArray(value) ? value : [value]) this.#single(number, type, item);
		} else if (as === "map") {
			this.writer.message(number, () => {
				for (const [key, content] of Object.entries(Object(value))) this.#entry(entries, key, content, type);
			});
		} else this.#single(number, type, value);
	}

	/** A pair of name (1) and value (2). */
	#entry(number: number, key: string, value: unknown, type: string): void {
		this.writer.message(number, () => {
			this.writer.text(1, key);
			this.#single(2, type, value);
		});
	}

	#single(number: number, type: string, value: unknown): void {
		const { writer } = this;
		switch (type) {
			case "string":
				writer.text(number, String(value));
				break;
			case "boolean":
				if (value === true) writer.boolean(number, true);
				break;
			case "integer":
				writer.integer(number, Number(value));
				break;
			case "double":
				writer.double(number, Number(value));
				break;
			case "yaml":
				// Any value as text, which may be JSON: every JSON text is YAML.
				writer.message(number, () => writer.text(2, `${JSON.stringify(value)}\n`));
				break;
			case "strings":
				writer.message(number, () => {
					for (const item of Array.isArray(value) ? value : [value]) writer.text(1, String(item));
				});
				break;
			default:
				writer.message(number, () => this.fields(value, type));
		}
	}
}
