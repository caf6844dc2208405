/** Reads the protobuf wire format: fields with numbers, in four shapes (protobuf.dev, "Encoding"). */
import { ApiError } from "../../core/errors.ts";
import { mostValues, tooManyValues } from "../../core/json-limits.ts";

export interface WireField {
	number: number;
	/** A number for varints and fixed sizes, bytes for everything that has a length. */
	value: bigint | number | Uint8Array;
}

/** How much of a body has been read, with all messages in it. */
export class Reading {
	/** An entry of a map is three fields for one value. */
	static readonly mostFields = 3 * mostValues;
	/** Messages in messages deeper than this are nobody's honest object. */
	static readonly deepest = 64;
	#fieldCount = 0;
	#depth = 0;

	/** @throws ApiError RequestEntityTooLarge */
	count(): void {
		this.#fieldCount++;
		if (this.#fieldCount > Reading.mostFields) throw tooManyValues();
	}

	/** Does what is to be done with a message in the one that is being read. @throws ApiError BadRequest */
	inside(read: () => void): void {
		this.#depth++;
		if (this.#depth > Reading.deepest) throw malformed();
		read();
		this.#depth--;
	}
}

/** @throws ApiError BadRequest when the bytes are no message, RequestEntityTooLarge when it has too many fields */
export function* wireFields(bytes: Uint8Array, reading: Reading): Iterable<WireField> {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	let at = 0;
	const varint = (): bigint => {
		let result = 0n;
		for (let shift = 0n; shift < 70n; shift += 7n) {
			const byte = bytes[at++];
			if (byte === undefined) throw malformed();
			result |= BigInt(byte & 0x7f) << shift;
			if (byte < 0x80) return BigInt.asIntN(64, result);
		}
		throw malformed();
	};
	const skip = (length: number): number => {
		const start = at;
		at += length;
		if (length < 0 || at > bytes.length) throw malformed();
		return start;
	};
	while (at < bytes.length) {
		reading.count();
		const tag = Number(varint());
		const number = Math.floor(tag / 8);
		switch (tag % 8) {
			case 0:
				yield { number, value: varint() };
				break;
			case 1:
				yield { number, value: view.getFloat64(skip(8), true) };
				break;
			case 2: {
				const length = Number(varint());
				const start = skip(length);
				yield { number, value: bytes.subarray(start, start + length) };
				break;
			}
			case 5:
				yield { number, value: view.getFloat32(skip(4), true) };
				break;
			default:
				throw malformed();
		}
	}
}

export function malformed(): ApiError {
	return new ApiError("BadRequest", "the body is not a well-formed protobuf message");
}
