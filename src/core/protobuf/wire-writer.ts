/** Writes the protobuf wire format, into one buffer that grows. */
import { type WireType, wireTypes } from "./wire-types.ts";

/** The longest varint: 64 bits, seven in each byte. */
const longestVarint = 10;
/** Shorter texts are copied character by character, which costs less than a call into the engine. */
const shortText = 48;

export class WireWriter {
	#bytes: Buffer;
	#length = 0;

	/** @param size in bytes, at the start */
	constructor(size = 256) {
		this.#bytes = Buffer.allocUnsafe(size);
	}

	/** A copy of what has been written. */
	bytes(): Buffer {
		return Buffer.from(this.#bytes.subarray(0, this.#length));
	}

	/** How much room there is without growing. */
	get capacity(): number {
		return this.#bytes.length;
	}

	/** Forgets what has been written, and keeps the room for it. */
	reset(): void {
		this.#length = 0;
	}

	/** A whole number, whose fraction is cut off, with its sign. */
	integer(field: number, value: number): void {
		this.#reserve(2 * longestVarint);
		this.#varint(field * 8 + wireTypes.varint);
		this.#varint(value);
	}

	boolean(field: number, value: boolean): void {
		this.integer(field, value ? 1 : 0);
	}

	double(field: number, value: number): void {
		this.#tag(field, wireTypes.fixed64);
		this.#reserve(8);
		this.#length = this.#bytes.writeDoubleLE(value, this.#length);
	}

	text(field: number, value: string): void {
		this.#tag(field, wireTypes.bytes);
		if (value.length < shortText && this.#ascii(value)) return;
		const length = Buffer.byteLength(value);
		this.#reserve(longestVarint + length);
		this.#varint(length);
		this.#length += this.#bytes.write(value, this.#length, length, "utf8");
	}

	raw(field: number, value: Uint8Array): void {
		this.#tag(field, wireTypes.bytes);
		this.#reserve(longestVarint + value.length);
		this.#varint(value.length);
		this.#bytes.set(value, this.#length);
		this.#length += value.length;
	}

	/** The beginning of a message, text or bytes of which the given number will follow elsewhere. */
	length(field: number, byteCount: number): void {
		this.#tag(field, wireTypes.bytes);
		this.#reserve(longestVarint);
		this.#varint(byteCount);
	}

	/** A message, an entry of a map or a packed list. @param write writes what is in it, with this writer */
	message(field: number, write: () => void): void {
		const start = this.begin(field);
		write();
		this.end(start);
	}

	/** As `message`, without a function: what is written until `end` is in the message. @returns what `end` takes */
	begin(field: number): number {
		this.#tag(field, wireTypes.bytes);
		// Its length is known when it has been written: one byte is kept free, and the message moved when that is few.
		this.#reserve(1);
		this.#length++;
		return this.#length;
	}

	/** @param start what `begin` returned */
	end(start: number): void {
		const end = this.#length;
		const length = end - start;
		if (length < 0x80) {
			this.#bytes[start - 1] = length;
			return;
		}
		const moved = varintLength(length) - 1;
		this.#reserve(longestVarint);
		this.#bytes.copyWithin(start + moved, start, end);
		this.#length = start - 1;
		this.#varint(length);
		this.#length = end + moved;
	}

	/** @returns false, and writes nothing, if there is a character of more than one byte */
	#ascii(value: string): boolean {
		const { length } = value;
		this.#reserve(1 + length);
		const bytes = this.#bytes;
		let at = this.#length + 1;
		for (let index = 0; index < length; index++) {
			const code = value.charCodeAt(index);
			if (code >= 0x80) return false;
			bytes[at++] = code;
		}
		bytes[this.#length] = length;
		this.#length = at;
		return true;
	}

	#tag(field: number, wireType: WireType): void {
		this.#reserve(longestVarint);
		this.#varint(field * 8 + wireType);
	}

	/** Its room has been reserved. */
	#varint(value: number): void {
		if (value >= 0 && value < 0x80) {
			this.#bytes[this.#length++] = value;
		} else if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
			let rest = Math.trunc(value);
			for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
			this.#bytes[this.#length++] = rest;
		} else {
			// In two's complement, which has all ten bytes.
			let rest = BigInt.asUintN(64, BigInt(Math.trunc(value)));
			for (; rest > 0x7fn; rest >>= 7n) this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
			this.#bytes[this.#length++] = Number(rest);
		}
	}

	#reserve(count: number): void {
		const needed = this.#length + count;
		if (needed <= this.#bytes.length) return;
		const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
		larger.set(this.#bytes.subarray(0, this.#length));
		this.#bytes = larger;
	}
}

function varintLength(value: number): number {
	let length = 1;
	for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) length++;
	return length;
}
