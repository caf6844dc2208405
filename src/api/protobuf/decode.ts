/**
 * Objects in protobuf, which kubectl sends when it makes objects of its own (`kubectl create deployment`), as the JSON
 * values that they stand for. Answers are never in protobuf: clients that send it also read JSON.
 */
import { timestamp } from "../../core/clock.ts";
import { ApiError } from "../../core/errors.ts";
import { checkJsonBytes, weigh } from "../../core/json-limits.ts";
import { setField } from "../../core/object.ts";
import { builtinSchemas } from "../../kinds/builtin-schemas.ts";
import { lookupKind } from "../../kinds/catalog.ts";
import type { FieldSchema, TypeSchema } from "../../kinds/engine/type-schema.ts";
import { definitionNames } from "../../kinds/facts.ts";
import { fieldNumbers } from "./field-numbers.ts";
import { malformed, Reading, wireFields } from "./reader.ts";

const magic = Buffer.from("k8s\0");

type Fields = Record<string, unknown>;

/** @throws ApiError BadRequest, RequestEntityTooLarge */
export function decodeProtobuf(bytes: Uint8Array): Fields {
	if (bytes.length < magic.length || magic.compare(bytes, 0, magic.length) !== 0)
		throw new ApiError(
			"BadRequest",
			"provided data does not appear to be a protobuf message, expected prefix 6b3873 00",
		);
	const reading = new Reading();
	let apiVersion = "";
	let kind = "";
	let raw: Uint8Array = new Uint8Array();
	// runtime.Unknown: a type, and the bytes of an object of the type.
	for (const { number, value } of wireFields(bytes.subarray(magic.length), reading)) {
		if (!(value instanceof Uint8Array)) continue;
		if (number === 2) raw = value;
		if (number !== 1) continue;
		for (const field of wireFields(value, reading)) {
			if (field.number === 1) apiVersion = textOf(field.value);
			if (field.number === 2) kind = textOf(field.value);
		}
	}
	const object: Fields = { apiVersion, kind };
	readMessage(raw, messageNamed(schemaOf(apiVersion, kind)), object, reading);
	// What is free-form in it is JSON.
	weigh(object);
	return object;
}

/** These are read alike in every version in which they ever came, as they are when they come in JSON. */
const sameInEveryVersion: ReadonlySet<string> = new Set(["DeleteOptions", "Eviction", "Scale"]);

/** The schema of `apps/v1 Deployment`: by its full name, since short ones are not all unique. */
function schemaOf(apiVersion: string, kind: string): string {
	if (sameInEveryVersion.has(kind)) return kind;
	const known = lookupKind(apiVersion, kind);
	if (known !== undefined) return known.served?.schema ?? known.kind.schema;
	const [group = "", version] = apiVersion.includes("/") ? apiVersion.split("/") : ["core", apiVersion];
	const packageName = group.split(".")[0] ?? "";
	for (const name of [`io.k8s.api.${packageName}.${version}.${kind}`, ...otherPackages(packageName, version, kind)]) {
		const schema = schemasByDefinition().get(name);
		if (schema !== undefined) return schema;
	}
	throw new ApiError(
		"BadRequest",
		`no kind "${kind}" is registered for version "${apiVersion}" in protobuf; send JSON`,
	);
}

function otherPackages(group: string, version: string | undefined, kind: string): string[] {
	return [
		`io.k8s.apiextensions-apiserver.pkg.apis.${group}.${version}.${kind}`,
		`io.k8s.kube-aggregator.pkg.apis.${group}.${version}.${kind}`,
	];
}

let byDefinition: Map<string, string> | undefined;

function schemasByDefinition(): Map<string, string> {
	byDefinition ??= new Map(Object.entries(definitionNames).map(([schema, definition]) => [definition, schema]));
	return byDefinition;
}

interface Message {
	/** Field number → name; a star marks a message whose fields are its outer type's. */
	names: readonly (string | undefined)[];
	/** Names of scalars of which the wire says whether they are there. */
	optional: ReadonlySet<string>;
	fields: TypeSchema;
}

const messages = new Map<string, Message>();

function messageNamed(type: string, fields?: TypeSchema): Message {
	const known = fields === undefined ? messages.get(type) : undefined;
	if (known !== undefined) return known;
	const names: (string | undefined)[] = [];
	const optional = new Set<string>();
	let number = 0;
	for (const entry of (fieldNumbers[type] ?? "").split(" ")) {
		const cut = entry.indexOf(":");
		number = cut < 0 ? number + 1 : Number(entry.slice(0, cut));
		const name = entry.slice(cut + 1).replace("?", "");
		names[number] = name;
		if (entry.endsWith("?")) optional.add(name);
	}
	const message = { names, optional, fields: fields ?? builtinSchemas.type(type) ?? {} };
	if (fields === undefined) messages.set(type, message);
	return message;
}

function readMessage(bytes: Uint8Array, message: Message, into: Fields, reading: Reading): void {
	const { names, optional, fields } = message;
	for (const { number, value } of wireFields(bytes, reading)) {
		const name = names[number];
		if (name === undefined) continue;
		if (name.startsWith("*")) {
			if (value instanceof Uint8Array)
				reading.inside(() => readMessage(value, messageNamed(name.slice(1), fields), into, reading));
			continue;
		}
		const field = fields[name];
		if (field === undefined) continue;
		if (field.of === undefined) {
			const found = read(value, field.type, reading);
			if (found !== undefined && (optional.has(name) || !isUnsaid(found, field))) into[name] = found;
		} else readCollection(into, name, field, value, reading);
	}
}

type Wire = bigint | number | Uint8Array;

function readCollection(into: Fields, name: string, field: FieldSchema, value: Wire, reading: Reading): void {
	if (field.of === "array") {
		// Lists of numbers may come as one value.
		const items = isNumeric(field.type) && value instanceof Uint8Array ? unpacked(value, reading) : [value];
		into[name] ??= [];
		// The list was made here, by this or an earlier item.
		const list = into[name] as unknown[];
		for (const item of items) list.push(read(item, field.type, reading));
	} else {
		if (!(value instanceof Uint8Array)) throw malformed();
		const [key, item] = readEntry(value, field, reading);
		into[name] ??= {};
		// The map was made here, by this or an earlier entry.
		setField(into[name] as Fields, key, item);
	}
}

/** Where a value is always sent, an empty one is what JSON leaves out, unless the field must be there. */
function isUnsaid(value: unknown, field: FieldSchema): boolean {
	return value === "" || ((value === 0 || value === false) && field.required !== true);
}

function readEntry(bytes: Uint8Array, field: FieldSchema, reading: Reading): [string, unknown] {
	let key = "";
	let item: unknown;
	for (const { number, value } of wireFields(bytes, reading)) {
		if (number === 1) key = textOf(value);
		else if (number === 2)
			item = field.of === "arrayMap" ? readItems(value, field.type, reading) : read(value, field.type, reading);
	}
	return [key, item ?? (field.of === "arrayMap" ? [] : emptyOf(field.type))];
}

/** A list as the value of a map is a message with the items as its first field. */
function readItems(value: Wire, type: string, reading: Reading): unknown[] {
	const items: unknown[] = [];
	for (const item of wireFields(bytesOf(value), reading))
		if (item.number === 1) items.push(read(item.value, type, reading));
	return items;
}

function emptyOf(type: string): unknown {
	return type === "string" || type === "bytes" ? "" : type === "quantity" ? "0" : {};
}

function read(value: Wire, type: string, reading: Reading): unknown {
	switch (type) {
		case "string":
			return textOf(value);
		case "int32":
		case "int64":
		case "number":
			return value instanceof Uint8Array ? undefined : Number(value);
		case "boolean":
			return value !== 0n;
		case "bytes":
			return Buffer.from(bytesOf(value)).toString("base64");
		case "time":
		case "microTime":
			return readTime(bytesOf(value), type, reading);
		case "quantity":
			return readFirst(bytesOf(value), reading) ?? "0";
		case "intOrString":
			return readIntOrString(bytesOf(value), reading);
		case "any":
			return readJson(bytesOf(value), reading);
		default: {
			const object: Fields = {};
			reading.inside(() => readMessage(bytesOf(value), messageNamed(type), object, reading));
			return object;
		}
	}
}

function isNumeric(type: string): boolean {
	return type === "int32" || type === "int64" || type === "boolean";
}

function unpacked(bytes: Uint8Array, reading: Reading): Wire[] {
	const values: Wire[] = [];
	let value = 0n;
	let shift = 0n;
	for (const byte of bytes) {
		value |= BigInt(byte & 0x7f) << shift;
		shift += 7n;
		if (byte >= 0x80) {
			if (shift > 63n) throw malformed();
			continue;
		}
		reading.count();
		values.push(BigInt.asIntN(64, value));
		value = 0n;
		shift = 0n;
	}
	return values;
}

/** No bytes at all are no time. */
function readTime(bytes: Uint8Array, type: "time" | "microTime", reading: Reading): string | undefined {
	if (bytes.length === 0) return undefined;
	let seconds = 0;
	let microseconds = 0;
	for (const { number, value } of wireFields(bytes, reading)) {
		if (number === 1) seconds = Number(value);
		if (number === 2) microseconds = Math.floor(Number(value) / 1000);
	}
	if (!(Math.abs(seconds) <= 8.64e12 && microseconds >= 0 && microseconds < 1e6)) throw malformed();
	const text = timestamp(seconds * 1000);
	// Put in as digits: a float of milliseconds does not hold every microsecond.
	return type === "time" ? text : text.replace("Z", `.${String(microseconds).padStart(6, "0")}Z`);
}

function readFirst(bytes: Uint8Array, reading: Reading): string | undefined {
	for (const { number, value } of wireFields(bytes, reading)) if (number === 1) return textOf(value);
	return undefined;
}

function readIntOrString(bytes: Uint8Array, reading: Reading): string | number {
	let isText = false;
	let integer = 0;
	let text = "";
	for (const { number, value } of wireFields(bytes, reading)) {
		if (number === 1) isText = value === 1n;
		else if (number === 2) integer = Number(value);
		else if (number === 3) text = textOf(value);
	}
	return isText ? text : integer;
}

/** Free-form values are JSON in a message's first field. */
function readJson(bytes: Uint8Array, reading: Reading): unknown {
	const text = readFirst(bytes, reading);
	if (text === undefined || text === "") return undefined;
	checkJsonBytes(Buffer.from(text));
	try {
		return JSON.parse(text);
	} catch {
		throw malformed();
	}
}

function textOf(value: Wire): string {
	return Buffer.from(bytesOf(value)).toString();
}

function bytesOf(value: Wire): Uint8Array {
	if (value instanceof Uint8Array) return value;
	throw malformed();
}
