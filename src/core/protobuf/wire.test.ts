import { describe, expect, test } from "vitest";
import { WireReader } from "./wire-reader.ts";
import { wireTypes } from "./wire-types.ts";
import { WireWriter } from "./wire-writer.ts";

function written(write: (writer: WireWriter) => void): Buffer {
	const writer = new WireWriter();
	write(writer);
	return writer.bytes();
}

test.each([
	[0, "0800"],
	[1, "0801"],
	[300, "08ac02"],
	[2 ** 32, "088080808010"],
	[Number.MAX_SAFE_INTEGER, "08ffffffffffffff0f"],
	[-1, "08ffffffffffffffffff01"],
	[-(2 ** 63), "0880808080808080808001"],
])("the integer %d", (value, hex) => {
	const bytes = written((writer) => writer.integer(1, value));
	expect(bytes.toString("hex")).toBe(hex);
	const reader = new WireReader(bytes);
	expect(reader.tag()).toBe(8);
	expect(reader.integer()).toBe(value);
	expect(reader.tag()).toBe(0);
});

test("what is written is read again, in messages of every length", () => {
	for (const length of [0, 1, 63, 64, 100, 126, 127, 128, 129, 16_383, 16_384, 70_000]) {
		const text = "é".repeat(length % 2) + "a".repeat(length);
		const bytes = written((writer) => {
			writer.message(2, () => {
				writer.message(3, () => writer.text(1, text));
				writer.double(4, 0.1);
			});
			writer.raw(500, Buffer.from([0xff]));
		});
		const reader = new WireReader(bytes);
		expect(reader.tag()).toBe(16 + wireTypes.bytes);
		const outer = reader.enter();
		expect(reader.tag()).toBe(24 + wireTypes.bytes);
		const inner = reader.enter();
		reader.tag();
		expect(reader.text()).toBe(text);
		expect(reader.tag()).toBe(0);
		reader.leave(inner);
		expect(reader.tag()).toBe(32 + wireTypes.fixed64);
		expect(reader.double()).toBe(0.1);
		expect(reader.atEnd).toBe(true);
		reader.leave(outer);
		expect(reader.tag()).toBe(4000 + wireTypes.bytes);
		expect([...reader.bytes()]).toEqual([0xff]);
		expect(reader.tag()).toBe(0);
	}
});

test("fields of every wire type are passed over", () => {
	const reader = new WireReader(Buffer.from("08ac02110102030405060708120261621d01020304", "hex"));
	for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) reader.skip(tag);
	expect(reader.fieldCount).toBe(4);
});

describe("refused", () => {
	test.each([
		["a varint without an end", "08ff"],
		["a varint of more than ten bytes", "08ffffffffffffffffffff01"],
		["a length beyond the end", "1205"],
		["a negative length", "12ffffffffffffffffff01"],
		["a fixed value beyond the end", "0901"],
		["the field 0", "0000"],
		["a group", "0b0c"],
	])("%s", (_, hex) => {
		const reader = new WireReader(Buffer.from(hex, "hex"));
		expect(() => reader.skip(reader.tag())).toThrow("not a well-formed protobuf message");
	});

	test("messages in messages without end, and fields without end", () => {
		const write = (writer: WireWriter, depth: number) => {
			if (depth > 0) writer.message(1, () => write(writer, depth - 1));
		};
		const descend = (depth: number) => {
			const reader = new WireReader(written((writer) => write(writer, depth)));
			while (reader.tag() !== 0) reader.enter();
		};
		descend(64);
		expect(() => descend(65)).toThrow("not a well-formed protobuf message");
		const reader = new WireReader(Buffer.alloc(2));
		for (let count = 0; count < 300_000; count++) reader.count();
		expect(() => reader.count()).toThrow("limit is 100000 values");
	});

	test("a value that crosses the end of its message", () => {
		const reader = new WireReader(Buffer.from("0a0208ff01", "hex"));
		reader.tag();
		reader.enter();
		reader.tag();
		expect(() => reader.integer()).toThrow("not a well-formed protobuf message");
	});
});
