/** Objects in protobuf, as the decoder should read them: the numbers of fields are the decoder's own table. */
import { numberedFields } from "../../src/api/wire/protobuf/field-numbers.ts";
import { WireWriter } from "../../src/core/protobuf/wire-writer.ts";
import { schemasOfAll } from "../../src/kinds/builtin-schemas.ts";
import { catalog } from "../../src/kinds/catalog.ts";
import type { FieldSchema, TypeSchema } from "../../src/kinds/engine/type-schema.ts";
import type { Chance } from "./chance.ts";

const schemas = schemasOfAll(catalog);

const magic = Buffer.from("k8s\0");

/** What has no place in protobuf, such as a text where the schema wants a number, is left out. */
export function protobufOf(object: Record<string, unknown>, schema: string): Buffer {
	const writer = new WireWriter();
	writer.message(1, () => {
		writer.text(1, textOf(object["apiVersion"]));
		writer.text(2, textOf(object["kind"]));
	});
	writer.message(2, () => writeFields(writer, object, schema, schemas.type(schema)));
	return Buffer.concat([magic, writer.bytes()]);
}

/** A few bytes changed, left out, or doubled. */
export function damaged(bytes: Buffer, chance: Chance): Buffer {
	const copy = Buffer.from(bytes);
	for (let count = 1 + chance.number(4); count > 0; count--) {
		const at = 4 + chance.number(Math.max(1, copy.length - 4));
		if (chance.once(3)) return Buffer.concat([copy.subarray(0, at), copy.subarray(at + chance.number(9))]);
		if (chance.once(6)) return Buffer.concat([copy.subarray(0, at), copy.subarray(Math.min(4, at))]);
		copy[at] = chance.pick([0, 1, 0x7f, 0x80, 0xff, chance.number(256)]);
	}
	return copy;
}

function writeFields(writer: WireWriter, value: unknown, type: string, fields: TypeSchema = {}): void {
	if (!isRecord(value)) return;
	for (const { number, name, embedded } of numberedFields(type)) {
		if (embedded) writer.message(number, () => writeFields(writer, value, name, fields));
		const schema = fields[name];
		const content = Object.hasOwn(value, name) ? value[name] : undefined;
		if (schema !== undefined && content !== undefined) writeContents(writer, number, content, schema);
	}
}

function writeContents(writer: WireWriter, number: number, value: unknown, { of, type }: FieldSchema): void {
	if (of === undefined) writeSingle(writer, number, value, type);
	else if (of === "array") writeItems(writer, number, value, type);
	else if (isRecord(value)) {
		for (const [key, item] of Object.entries(value))
			writer.message(number, () => {
				writer.text(1, key);
				if (of === "arrayMap") writer.message(2, () => writeItems(writer, 1, item, type));
				else writeSingle(writer, 2, item, type);
			});
	}
}

function writeItems(writer: WireWriter, number: number, value: unknown, type: string): void {
	if (Array.isArray(value)) for (const item of value) writeSingle(writer, number, item, type);
}

function writeSingle(writer: WireWriter, number: number, value: unknown, type: string): void {
	const isNumber = typeof value === "number" && Number.isFinite(value);
	switch (type) {
		case "string":
			writer.text(number, textOf(value));
			break;
		case "int32":
		case "int64":
			if (isNumber) writer.integer(number, value);
			break;
		case "number":
			if (isNumber) writer.double(number, value);
			break;
		case "boolean":
			writer.boolean(number, value === true);
			break;
		case "bytes":
			writer.raw(number, Buffer.from(textOf(value), "base64"));
			break;
		case "time":
		case "microTime":
			writer.message(number, () => writer.integer(1, (Date.parse(textOf(value)) || 0) / 1000));
			break;
		case "quantity":
			writer.message(number, () => writer.text(1, textOf(value)));
			break;
		case "intOrString":
			writer.message(number, () => {
				writer.boolean(1, typeof value === "string");
				if (typeof value === "string") writer.text(3, value);
				else writer.integer(2, isNumber ? value : 0);
			});
			break;
		case "any":
			writer.message(number, () => writer.text(1, JSON.stringify(value)));
			break;
		default:
			writer.message(number, () => writeFields(writer, value, type, schemas.type(type)));
	}
}

/** An object may have a field called `toString`. */
function textOf(value: unknown): string {
	return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
