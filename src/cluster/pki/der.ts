/**
 * The parts of DER (ITU-T X.690) that the cluster's own certificates and requests consist of. Requests from clients are
 * parsed with a library (kinds/certificates/).
 */

const tags = {
	boolean: 0x01,
	integer: 0x02,
	bitString: 0x03,
	octetString: 0x04,
	objectId: 0x06,
	utf8String: 0x0c,
	sequence: 0x30,
	set: 0x31,
	utcTime: 0x17,
	generalizedTime: 0x18,
	/** [n] that contains other elements. */
	context: 0xa0,
	/** [n] instead of the tag of a primitive type. */
	primitiveContext: 0x80,
} as const;

export function sequence(...parts: readonly Buffer[]): Buffer {
	return element(tags.sequence, Buffer.concat(parts));
}

/** A set of one element: several would have to be sorted. */
export function setOf(part: Buffer): Buffer {
	return element(tags.set, part);
}

/** `[number]` around elements. */
export function tagged(number: number, ...parts: readonly Buffer[]): Buffer {
	return element(tags.context + number, Buffer.concat(parts));
}

/** `[number]` instead of the tag of the type of `content`. */
export function retagged(number: number, content: Buffer): Buffer {
	return element(tags.primitiveContext + number, content);
}

export function boolean(value: boolean): Buffer {
	return element(tags.boolean, Buffer.of(value ? 0xff : 0));
}

/** @param bytes a number that is not negative, big-endian */
export function integer(bytes: Buffer): Buffer {
	const first = bytes.findIndex((byte) => byte !== 0);
	const digits = first < 0 ? Buffer.of(0) : bytes.subarray(first);
	return element(tags.integer, (digits[0] ?? 0) < 0x80 ? digits : Buffer.concat([Buffer.of(0), digits]));
}

export function bitString(bytes: Buffer, unusedBits = 0): Buffer {
	return element(tags.bitString, Buffer.concat([Buffer.of(unusedBits), bytes]));
}

export function octetString(bytes: Buffer): Buffer {
	return element(tags.octetString, bytes);
}

export function utf8String(text: string): Buffer {
	return element(tags.utf8String, Buffer.from(text));
}

/** @param dotted `2.5.4.3` */
export function objectId(dotted: string): Buffer {
	const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
	return element(tags.objectId, Buffer.from([first * 40 + second, ...rest].flatMap(sevenBitDigits)));
}

/** In whole seconds; until 2049, the year has two digits (RFC 5280, 4.1.2.5). */
export function time(epochMs: number): Buffer {
	const digits = new Date(epochMs).toISOString().replace(/\.\d+|[-:T]/g, "");
	if (Number(digits.slice(0, 4)) >= 2050) return element(tags.generalizedTime, Buffer.from(digits));
	return element(tags.utcTime, Buffer.from(digits.slice(2)));
}

/** The elements inside an element, complete with tag and length. @param der valid DER */
export function elementsOf(der: Buffer): Buffer[] {
	const found: Buffer[] = [];
	for (let rest = contentOf(der); rest.length > 0; rest = rest.subarray(found.at(-1)?.length))
		found.push(rest.subarray(0, extentOf(rest).end));
	return found;
}

/** The content of an element, without tag and length. @param der valid DER */
export function contentOf(der: Buffer): Buffer {
	const { start, end } = extentOf(der);
	return der.subarray(start, end);
}

function extentOf(der: Buffer): { start: number; end: number } {
	const length = der.readUInt8(1);
	if (length < 0x80) return { start: 2, end: 2 + length };
	const start = 2 + (length & 0x7f);
	return { start, end: start + der.readUIntBE(2, length & 0x7f) };
}

function element(tag: number, content: Buffer): Buffer {
	const { length } = content;
	if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32BE(length);
	const digits = bytes.subarray(bytes.findIndex((byte) => byte !== 0));
	return Buffer.concat([Buffer.of(tag, 0x80 | digits.length), digits, content]);
}

/** Base 128, big-endian; the highest bit is set in all digits but the last. */
function sevenBitDigits(number: number): number[] {
	const digits = [number & 0x7f];
	for (let rest = number >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80);
	return digits;
}
