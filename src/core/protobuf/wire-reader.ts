/** Reads the protobuf wire format: fields with numbers, in four shapes (protobuf.dev, "Encoding"). */
import { ApiError } from "../errors.ts";
import { mostValues, tooManyValues } from "../text/json-limits.ts";
import { wireTypes } from "./wire-types.ts";

/** Fields in one body, with all messages in it: an entry of a map is three fields for one value. */
const mostFields = 3 * mostValues;
/** No valid object has messages nested deeper than this. */
const deepest = 64;
/** Texts of larger bodies are copied out one by one: a part of a string keeps the whole of it in memory. */
const largestShared = 8 * 1024;
/** Checking longer ones byte by byte costs more than the engine's own way. */
const longestShared = 64;

/**
 * A position in the bytes of a body, and the end of the message that is being read. Methods throw ApiError BadRequest
 * when the bytes are not what they are to read, and none reads beyond the end of the message.
 */
export class WireReader {
	readonly #bytes: Buffer;
	/** Each byte of a small body as a character: what is ASCII is a text already. */
	readonly #characters: string | undefined;
	#position = 0;
	#end: number;
	#depth = 0;
	#fieldCount = 0;

	constructor(bytes: Uint8Array) {
		this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		this.#characters = bytes.length <= largestShared ? this.#bytes.toString("latin1") : undefined;
		this.#end = bytes.length;
	}

	/** Fields that were read, and values of packed lists. */
	get fieldCount(): number {
		return this.#fieldCount;
	}

	/** Whether the message has no more bytes. */
	get atEnd(): boolean {
		return this.#position === this.#end;
	}

	/** Counts a field or a value of a packed list. @throws ApiError RequestEntityTooLarge */
	count(): void {
		this.#fieldCount++;
		if (this.#fieldCount > mostFields) throw tooManyValues();
	}

	/** The tag of the next field (its number * 8 + its wire type); 0 at the end of the message. */
	tag(): number {
		if (this.#position === this.#end) return 0;
		this.count();
		const tag = this.integer();
		// No field has the number 0.
		if (tag < 8 || tag > 0xffff_ffff) throw malformed();
		return tag;
	}

	/**
	 * Passes over the value of a field that the reader of the message does not know.
	 * @param known highest number that it knows: such a field has come with a wrong wire type
	 */
	skip(tag: number, known = 0): void {
		if (tag >>> 3 <= known) throw malformed();
		switch (tag & 7) {
			case wireTypes.varint:
				this.integer();
				break;
			case wireTypes.fixed64:
				this.#pass(8);
				break;
			case wireTypes.bytes:
				this.#pass(this.#length());
				break;
			case wireTypes.fixed32:
				this.#pass(4);
				break;
			default:
				throw malformed();
		}
	}

	/**
	 * Goes into the message that is the field's value, so that its end is the end.
	 * @returns the end of the outer message, for `leave`
	 */
	enter(): number {
		this.#depth++;
		if (this.#depth > deepest) throw malformed();
		return this.enterLeaf();
	}

	/** Goes back to the outer message, when the inner one has been read to its end. */
	leave(outerEnd: number): void {
		this.#depth--;
		this.#end = outerEnd;
	}

	/** As `enter`, for what cannot contain itself (an entry, a time, a packed list), and is not counted as nested. */
	enterLeaf(): number {
		const outerEnd = this.#end;
		const length = this.#length();
		this.#end = this.#position + length;
		return outerEnd;
	}

	/** @param outerEnd what `enterLeaf` returned */
	leaveLeaf(outerEnd: number): void {
		this.#end = outerEnd;
	}

	/** Passes over a message, which `revisit` reads later. */
	mark(): { start: number; end: number } {
		const length = this.#length();
		const start = this.#pass(length);
		return { start, end: start + length };
	}

	revisit({ start, end }: { start: number; end: number }): void {
		this.#position = start;
		this.#end = end;
	}

	/** A varint of 64 bits with a sign, as the nearest number. */
	integer(): number {
		if (this.#position >= this.#end) throw malformed();
		// Most are tags, lengths and flags of one byte, which is there.
		const byte = this.#bytes[this.#position] as number;
		if (byte >= 0x80) return this.#longInteger();
		this.#position++;
		return byte;
	}

	double(): number {
		return this.#bytes.readDoubleLE(this.#pass(8));
	}

	/** UTF-8; invalid bytes become replacement characters. */
	text(): string {
		const length = this.#length();
		const start = this.#pass(length);
		const end = start + length;
		if (this.#characters !== undefined && length <= longestShared && this.#isAscii(start, end))
			return this.#characters.slice(start, end);
		return this.#bytes.toString("utf8", start, end);
	}

	/** A part of the body, not a copy. */
	bytes(): Buffer {
		const length = this.#length();
		const start = this.#pass(length);
		return this.#bytes.subarray(start, start + length);
	}

	#longInteger(): number {
		let low = 0;
		let high = 0;
		for (let shift = 0; shift < 70; shift += 7) {
			if (this.#position >= this.#end) throw malformed();
			// There is a byte before the end.
			const byte = this.#bytes[this.#position++] as number;
			const bits = byte & 0x7f;
			if (shift < 32) low |= bits << shift;
			if (shift === 28) high = bits >> 4;
			else if (shift > 28) high |= bits << (shift - 32);
			if (byte < 0x80) return high * 0x1_0000_0000 + (low >>> 0);
		}
		throw malformed();
	}

	/** How many bytes of the message the value has that follows. */
	#length(): number {
		const length = this.integer();
		if (length < 0 || length > this.#end - this.#position) throw malformed();
		return length;
	}

	/** @returns where the bytes begin that were passed over */
	#pass(length: number): number {
		const start = this.#position;
		if (length > this.#end - start) throw malformed();
		this.#position = start + length;
		return start;
	}

	#isAscii(start: number, end: number): boolean {
		for (let index = start; index < end; index++) {
			// The range was checked when its length was read.
			if ((this.#bytes[index] as number) >= 0x80) return false;
		}
		return true;
	}
}

export function malformed(): ApiError {
	return new ApiError("BadRequest", "the body is not a well-formed protobuf message");
}
