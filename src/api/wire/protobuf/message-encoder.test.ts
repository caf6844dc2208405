import { describe, expect, test } from "vitest";
import { isRecord } from "../../../core/object.ts";
import { WireReader } from "../../../core/protobuf/wire-reader.ts";
import { builtinSchemas } from "../../../kinds/builtin-schemas.ts";
import { catalog } from "../../../kinds/catalog.ts";
import type { FieldSchema } from "../../../kinds/engine/type-schema.ts";
import { decode } from "../../../kinds/schema.ts";
import { hasNumbers, numberedFields } from "./field-numbers.ts";
import { messageDecoder } from "./message-decoder.ts";
import { encodeObject } from "./message-encoder.ts";
import { unionFields } from "./unions.ts";

const unstored = ["Binding", "Eviction", "Scale", "SubjectAccessReview", "TokenReview", "AuthenticationTokenRequest"];
const types = [
	...new Set([
		...catalog.flatMap(({ schema, servedAs = [] }) => [schema, ...servedAs.map((served) => served.schema ?? schema)]),
		...unstored,
	]),
].filter(hasNumbers);

/** Names of a type's fields, including those of embedded messages. */
const namesOf = (type: string): string[] =>
	numberedFields(type).flatMap(({ name, embedded }) => (embedded ? namesOf(name) : [name]));

/** Nested lists grow fast. */
const longListDepth = 2;

/** An object with a value in every field of a type that `has` selects. */
class Maker {
	readonly #has: () => boolean;
	#count = 0;

	constructor(has: () => boolean) {
		this.#has = has;
	}

	/** @param outer types that the object is in */
	object(type: string, outer: readonly string[] = []): Record<string, unknown> {
		const object: Record<string, unknown> = {};
		const schema = builtinSchemas.type(type) ?? {};
		for (const name of namesOf(type)) {
			const field = schema[name];
			if (field === undefined || outer.includes(field.type) || field.type === type) continue;
			if (field.required || this.#has()) object[name] = this.#field(field, [...outer, type]);
		}
		return object;
	}

	#field({ type, of }: FieldSchema, outer: readonly string[]): unknown {
		const value = () => this.#value(type, outer);
		if (of === "array") return outer.length > longListDepth ? [value()] : [value(), value()];
		if (of === "map") return { b: value(), a: value() };
		return of === undefined ? value() : { "b/c": [value()], a: [value(), value()] };
	}

	#value(type: string, outer: readonly string[]): unknown {
		const count = ++this.#count;
		switch (type) {
			case "string":
				return count % 7 === 0 ? "é".repeat(1 + (count % 90)) : `text ${count}${"x".repeat(count % 60)}`;
			case "int32":
				return count % 3 === 0 ? -count : count;
			case "int64":
				return count % 2 === 0 ? 2 ** 40 + count : -(2 ** 33) - count;
			case "number":
				return count / 8;
			case "boolean":
				return true;
			case "bytes":
				return Buffer.from(`bytes ${count}`).toString("base64");
			case "time":
				return `2026-01-02T03:04:${String(count % 60).padStart(2, "0")}Z`;
			case "microTime":
				return `2026-01-02T03:04:05.${String(count).padStart(6, "0").slice(-6)}Z`;
			case "quantity":
				return `${count}Mi`;
			case "intOrString":
				return count % 2 === 0 ? count : `${count}%`;
			case "any":
				return { "f:a": { ".": {} }, count };
			default:
				return unionFields(type) === undefined ? this.object(type, outer) : union(type);
		}
	}
}

function union(type: string): unknown {
	if (type === "JSONSchemaPropsOrArray") return [{ type: "string" }, { format: "int32" }];
	return type === "JSONSchemaPropsOrBool" ? { properties: { a: { items: { type: "object" } } } } : ["a", "b"];
}

/** Without empty values, because some of them are always sent. An absent quantity is zero. */
function nonEmpty(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(nonEmpty);
	if (!isRecord(value)) return value;
	const entries = Object.entries(value).map(([key, one]) => [key, nonEmpty(one)] as const);
	return Object.fromEntries(
		entries.filter(([, one]) => (isRecord(one) ? Object.keys(one).length > 0 : one && one !== "0")),
	);
}

function throughProtobuf(object: Record<string, unknown>, type: string): Record<string, unknown> {
	const read: Record<string, unknown> = {};
	messageDecoder(type).readInto(new WireReader(encodeObject(object, type)), read);
	return read;
}

/** Pseudo-random numbers from a fixed seed. */
function sometimes(seed: number): () => boolean {
	let state = seed;
	return () => {
		state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
		return state / 2 ** 31 < 0.4;
	};
}

describe("what is written is read again", () => {
	test.each(types)("%s", (type) => {
		const full = new Maker(() => true).object(type);
		expect(throughProtobuf(full, type)).toEqual(full);
		for (let seed = 1; seed <= 8; seed++) {
			const { object } = decode(new Maker(sometimes(seed)).object(type), type);
			const read = decode(throughProtobuf(object as unknown as Record<string, unknown>, type), type);
			expect(read.problems).toEqual([]);
			expect(nonEmpty(read.object)).toEqual(nonEmpty(object));
		}
	});
});

test("fields that are always sent are sent empty, others are omitted", () => {
	const metadata = "0a0161 1200 1a00 2200 2a00 3200 3800 4200".replaceAll(" ", "");
	expect(encodeObject({ metadata: { name: "a" } }, "ConfigMap").toString("hex")).toBe(`0a11${metadata}`);
	// A Lease's spec is always present, and all of its fields are optional.
	expect(encodeObject({ metadata: { name: "a" } }, "Lease").toString("hex")).toBe(`0a11${metadata}1200`);
});

test("maps are in the order of their keys, and times before 1970 are negative", () => {
	const labels = encodeObject({ metadata: { labels: { b: "2", a: "1" } } }, "ConfigMap").toString("latin1");
	expect(labels.indexOf("a")).toBeLessThan(labels.indexOf("b"));
	const object = { metadata: { name: "a", deletionTimestamp: "1969-12-31T23:59:58Z" } };
	expect(throughProtobuf(object, "ConfigMap")).toEqual(object);
});

test("times have microseconds, and the lengths of large messages are correct", () => {
	const spec = { renewTime: "2026-01-02T03:04:05.000007Z" };
	expect(throughProtobuf({ spec }, "Lease")["spec"]).toEqual(spec);
	for (const length of [100, 127, 128, 16_383, 16_384, 2_000_000]) {
		const data = { key: "x".repeat(length) };
		expect(throughProtobuf({ data }, "ConfigMap")["data"]).toEqual(data);
	}
});
