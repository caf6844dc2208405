/** Objects in protobuf, as the decoder should read them: the numbers of fields are the decoder's own table. */
import { fieldNumbers } from "../../src/api/protobuf/field-numbers.ts";
import { schemasOfAll } from "../../src/kinds/builtin-schemas.ts";
import { catalog } from "../../src/kinds/catalog.ts";
import type { FieldSchema, TypeSchema } from "../../src/kinds/engine/type-schema.ts";
import type { Chance } from "./chance.ts";

const schemas = schemasOfAll(catalog);

const magic = Buffer.from("k8s\0");

/** What has no place in protobuf, such as a text where the schema wants a number, is left out. */
export function protobufOf(object: Record<string, unknown>, schema: string): Buffer {
	const typeMeta = Buffer.concat([texted(1, object["apiVersion"]), texted(2, object["kind"])]);
	return Buffer.concat([magic, field(1, typeMeta), field(2, message(object, schema, schemas.type(schema)))]);
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

function message(value: unknown, type: string, fields: TypeSchema = {}): Buffer {
	if (!isRecord(value)) return Buffer.alloc(0);
	const parts: Buffer[] = [];
	let number = 0;
	for (const entry of (fieldNumbers[type] ?? "").split(" ")) {
		const cut = entry.indexOf(":");
		number = cut < 0 ? number + 1 : Number(entry.slice(0, cut));
		const name = entry.slice(cut + 1).replace("?", "");
		if (name.startsWith("*")) parts.push(field(number, message(value, name.slice(1), fields)));
		const schema = fields[name];
		const content = Object.hasOwn(value, name) ? value[name] : undefined;
		if (schema !== undefined && content !== undefined) parts.push(...contents(number, content, schema));
	}
	return Buffer.concat(parts);
}

function contents(number: number, value: unknown, { of, type }: FieldSchema): Buffer[] {
	if (of === undefined) return [single(number, value, type)];
	if (of === "array") return Array.isArray(value) ? value.map((item) => single(number, item, type)) : [];
	if (!isRecord(value)) return [];
	return Object.entries(value).map(([key, item]) => {
		const items = of === "arrayMap" && Array.isArray(item) ? item.map((one) => single(1, one, type)) : undefined;
		const content = items === undefined ? single(2, item, type) : field(2, Buffer.concat(items));
		return field(number, Buffer.concat([texted(1, key), content]));
	});
}

function single(number: number, value: unknown, type: string): Buffer {
	switch (type) {
		case "string":
			return texted(number, value);
		case "int32":
		case "int64":
			return typeof value === "number" && Number.isFinite(value) ? whole(number, value) : Buffer.alloc(0);
		case "boolean":
			return whole(number, value === true ? 1 : 0);
		case "bytes":
			return field(number, Buffer.from(textOf(value), "base64"));
		case "time":
		case "microTime":
			return field(number, whole(1, (Date.parse(textOf(value)) || 0) / 1000));
		case "quantity":
			return field(number, texted(1, value));
		case "intOrString": {
			const isText = typeof value === "string";
			const content = isText
				? texted(3, value)
				: whole(2, typeof value === "number" && Number.isFinite(value) ? value : 0);
			return field(number, Buffer.concat([whole(1, isText ? 1 : 0), content]));
		}
		case "any":
			return field(number, texted(1, JSON.stringify(value)));
		default:
			return field(number, message(value, type, schemas.type(type)));
	}
}

function texted(number: number, value: unknown): Buffer {
	return field(number, Buffer.from(textOf(value)));
}

/** An object may have a field called `toString`. */
function textOf(value: unknown): string {
	return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

function whole(number: number, value: number): Buffer {
	return Buffer.concat([varint(BigInt(number) * 8n), varint(BigInt(Math.trunc(value)))]);
}

function field(number: number, content: Uint8Array): Buffer {
	return Buffer.concat([varint(BigInt(number) * 8n + 2n), varint(BigInt(content.length)), content]);
}

function varint(value: bigint): Buffer {
	const bytes: number[] = [];
	let rest = BigInt.asUintN(64, value);
	for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
	bytes.push(Number(rest));
	return Buffer.from(bytes);
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
