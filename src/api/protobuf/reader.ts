/** Reads the protobuf wire format: fields with numbers, in four shapes (protobuf.dev, "Encoding"). */
import { ApiError } from "../../core/errors.ts";

export interface WireField {
	number: number;
	/** A number for varints and fixed sizes, bytes for everything that has a length. */
	value: bigint | number | Uint8Array;
}

/** @throws ApiError BadRequest when the bytes are no message */
export function* wireFields(bytes: Uint8Array): Iterable<WireField> {
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
