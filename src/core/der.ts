/** DER, as certificates are written in it (ITU-T X.690): values with a tag, a length and a content. Pure. */

export interface DerValue {
	tag: number;
	content: Buffer;
	/** Tag, length and content. */
	raw: Buffer;
}

export const derTags = {
	boolean: 0x01,
	integer: 0x02,
	bitString: 0x03,
	octetString: 0x04,
	objectIdentifier: 0x06,
	utcTime: 0x17,
	generalizedTime: 0x18,
	sequence: 0x30,
	set: 0x31,
} as const;

/** The one value that the bytes are. @throws Error when they are something else */
export function derValue(bytes: Buffer): DerValue {
	const [value, ...more] = derValues(bytes);
	if (value === undefined || more.length > 0) throw new Error("asn1: syntax error: not one value");
	return value;
}

/** The values that follow each other in a content. @throws Error when it is cut off */
export function derValues(bytes: Buffer): DerValue[] {
	const values: DerValue[] = [];
	for (let at = 0; at < bytes.length; ) {
		let contentAt = at + 2;
		let length = bytes[at + 1] ?? Number.NaN;
		if (length > 0x80 && length <= 0x84) {
			const lengthBytes = length - 0x80;
			if (contentAt + lengthBytes > bytes.length) throw new Error("asn1: syntax error: data truncated");
			length = bytes.readUIntBE(contentAt, lengthBytes);
			contentAt += lengthBytes;
		} else if (length >= 0x80) throw new Error("asn1: syntax error: length of a form that DER has not");
		const end = contentAt + length;
		if (!(end <= bytes.length)) throw new Error("asn1: syntax error: data truncated");
		values.push({ tag: bytes[at] ?? 0, content: bytes.subarray(contentAt, end), raw: bytes.subarray(at, end) });
		at = end;
	}
	return values;
}

/** `2.5.4.3` */
export function derObjectIdentifier({ content }: DerValue): string {
	const numbers: number[] = [];
	let number = 0;
	for (const byte of content) {
		number = number * 128 + (byte & 0x7f);
		if (byte >= 0x80) continue;
		numbers.push(number);
		number = 0;
	}
	const [first = 0, ...others] = numbers;
	const root = Math.min(Math.trunc(first / 40), 2);
	return [root, first - root * 40, ...others].join(".");
}

export function encodeDer(tag: number, ...contents: readonly Uint8Array[]): Buffer {
	const content = Buffer.concat(contents);
	if (content.length < 0x80) return Buffer.concat([Buffer.of(tag, content.length), content]);
	const length = Buffer.from(content.length.toString(16).padStart(content.length < 0x100 ? 2 : 4, "0"), "hex");
	if (content.length > 0xffff) throw new Error(`${content.length} bytes are too long for a certificate`);
	return Buffer.concat([Buffer.of(tag, 0x80 + length.length), length, content]);
}

export function encodeObjectIdentifier(text: string): Buffer {
	const [root = 0, second = 0, ...others] = text.split(".").map(Number);
	const bytes = [root * 40 + second, ...others].flatMap((number) => {
		const digits = [number & 0x7f];
		for (let rest = Math.floor(number / 128); rest > 0; rest = Math.floor(rest / 128))
			digits.unshift((rest & 0x7f) | 0x80);
		return digits;
	});
	return encodeDer(derTags.objectIdentifier, Buffer.from(bytes));
}

/** A time of a certificate: with two digits for the year until 2049 (RFC 5280, 4.1.2.5). Whole seconds. */
export function encodeTime(epochMs: number): Buffer {
	const text = new Date(epochMs)
		.toISOString()
		.replace(/\.\d+Z$/, "Z")
		.replace(/[-:T]/g, "");
	if (text >= "2050") return encodeDer(derTags.generalizedTime, Buffer.from(text));
	return encodeDer(derTags.utcTime, Buffer.from(text.slice(2)));
}
