import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import { expect, test } from "vitest";
import { bitString, contentOf, elementsOf, integer, objectId, octetString, sequence, time } from "./der.ts";

test.each([0, 1, 127, 128, 255, 256, 65_535, 65_536])("content of %i bytes is found again", (length) => {
	const der = octetString(Buffer.alloc(length, 7));
	expect(AsnConvert.parse(der, OctetString).byteLength).toBe(length);
	expect(contentOf(der).equals(Buffer.alloc(length, 7))).toBe(true);
	const last = integer(Buffer.of(1));
	expect(elementsOf(sequence(der, last, der)).map((element) => element.length)).toEqual([
		der.length,
		last.length,
		der.length,
	]);
});

test.each([
	["00", "020100"],
	["0000", "020100"],
	["7f", "02017f"],
	["80", "02020080"],
	["0001", "020101"],
	["00ff", "020200ff"],
])("the integer %s is positive and as short as it can be", (bytes, der) => {
	expect(integer(Buffer.from(bytes, "hex")).toString("hex")).toBe(der);
});

test.each([
	["1.2.840.10045.4.3.2", "06082a8648ce3d040302"],
	["2.5.29.17", "0603551d11"],
	["1.3.6.1.4.1.311.10.3.3", "060a2b0601040182370a0303"],
])("the object identifier %s is in base 128", (dotted, der) => {
	expect(objectId(dotted).toString("hex")).toBe(der);
});

test("years have two digits until 2049", () => {
	expect(contentOf(time(Date.UTC(2049, 11, 31, 23, 59, 59, 999))).toString()).toBe("491231235959Z");
	expect(contentOf(time(Date.UTC(2050, 0, 1))).toString()).toBe("20500101000000Z");
	expect([time(Date.UTC(2049, 11, 31))[0], time(Date.UTC(2050, 0, 1))[0]]).toEqual([0x17, 0x18]);
});

test("a bit string says how many bits at its end are not used", () => {
	expect(bitString(Buffer.of(0x06), 1).toString("hex")).toBe("03020106");
});
