/** Writes the protobuf wire format, into one buffer that grows. */
import { type WireType, wireTypes } from "./wire-types.ts";

/** The longest varint: 64 bits, seven in each byte. */
const longestVarint = 10;

export class WireWriter {
	#bytes = Buffer.allocUnsafe(256);
	#length = 0;

	/** A copy of what has been written. */
	bytes(): Buffer {
		return Buffer.from(this.#bytes.subarray(0, this.#length));
	}

	/** A whole number, whose fraction is cut off, with its sign. */
	integer(field: number, value: number): void {
		this.#tag(field, wireTypes.varint);
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
		const length = Buffer.byteLength(value);
		this.#varint(length);
		this.#reserve(length);
		this.#bytes.write(value, this.#length);
		this.#length += length;
	}

	raw(field: number, value: Uint8Array): void {
		this.#tag(field, wireTypes.bytes);
		this.#varint(value.length);
		this.#reserve(value.length);
		this.#bytes.set(value, this.#length);
		this.#length += value.length;
	}

	/** A message, an entry of a map or a packed list. @param write writes what is in it, with this writer */
	message(field: number, write: () => void): void {
		this.#tag(field, wireTypes.bytes);
		// Its length is known when it has been written: one byte is kept free, and the message moved when that is few.
		const start = this.#length + 1;
		this.#reserve(1);
		this.#length = start;
		write();
		const end = this.#length;
		const length = end - start;
		const moved = varintLength(length) - 1;
		this.#reserve(longestVarint);
		if (moved > 0) this.#bytes.copyWithin(start + moved, start, end);
		this.#length = start - 1;
		this.#varint(length);
		this.#length = end + moved;
	}

	#tag(field: number, wireType: WireType): void {
		this.#varint(field * 8 + wireType);
	}

	#varint(value: number): void {
		this.#reserve(longestVarint);
		if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
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
