/** SPDY/3.1 frames: parsing from a byte stream, and encoding. Pure. */
import { uint32 } from "./headers.ts";

export const frameTypes = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goAway: 7, headers: 8 } as const;

/** FLAG_FIN: the sender closes its half of the stream with this frame. */
export const finFlag = 1;

export type Frame =
	| { type: "data"; streamId: number; flags: number; payload: Buffer }
	| { type: "control"; control: number; flags: number; payload: Buffer };

const headerBytes = 8;
/** Go sends data frames of up to 32 KiB; no client needs larger ones than this. */
const longestPayload = 2 ** 20;
const largestDataPayload = 64 * 1024;

/** Collects bytes and returns complete frames. */
export class FrameReader {
	#parts: Buffer[] = [];
	#size = 0;

	/** @throws Error for a frame that exceeds the limit */
	*push(chunk: Buffer): Iterable<Frame> {
		this.#parts.push(chunk);
		this.#size += chunk.length;
		for (;;) {
			if (this.#size < headerBytes) return;
			const header = this.#peek(headerBytes);
			const length = header.readUIntBE(5, 3);
			if (length > longestPayload) throw new Error(`SPDY frame of ${length} bytes, ${longestPayload} is the most`);
			if (this.#size < headerBytes + length) return;
			const bytes = this.#take(headerBytes + length);
			yield frameOf(bytes);
		}
	}

	#peek(count: number): Buffer {
		const [first] = this.#parts;
		if (first !== undefined && first.length >= count) return first;
		const joined = Buffer.concat(this.#parts);
		this.#parts = [joined];
		return joined;
	}

	#take(count: number): Buffer {
		const joined = this.#peek(count);
		this.#parts[0] = joined.subarray(count);
		if (this.#parts[0].length === 0) this.#parts.shift();
		this.#size -= count;
		return joined.subarray(0, count);
	}
}

function frameOf(bytes: Buffer): Frame {
	const flags = bytes.readUInt8(4);
	const payload = bytes.subarray(headerBytes);
	const first = bytes.readUInt32BE(0);
	if (first >>> 31 === 0) return { type: "data", streamId: first, flags, payload };
	return { type: "control", control: first & 0xffff, flags, payload };
}

/** The stream that a control frame is about. */
export function streamIdOf({ payload }: Frame): number {
	return payload.readUInt32BE(0) & 0x7fffffff;
}

export function controlFrame(control: number, flags: number, payload: Buffer): Buffer {
	const header = Buffer.alloc(headerBytes);
	header.writeUInt16BE(0x8003, 0);
	header.writeUInt16BE(control, 2);
	header.writeUInt8(flags, 4);
	header.writeUIntBE(payload.length, 5, 3);
	return Buffer.concat([header, payload]);
}

/** Data frames for the bytes, headers and payloads alternating; the last one can close the stream. */
export function dataFrames(streamId: number, bytes: Buffer, fin: boolean): Buffer[] {
	const out: Buffer[] = [];
	let offset = 0;
	do {
		const part = bytes.subarray(offset, offset + largestDataPayload);
		offset += part.length;
		const header = Buffer.alloc(headerBytes);
		header.writeUInt32BE(streamId, 0);
		header.writeUInt8(fin && offset >= bytes.length ? finFlag : 0, 4);
		header.writeUIntBE(part.length, 5, 3);
		out.push(header, part);
	} while (offset < bytes.length);
	return out;
}

export function rstStream(streamId: number, status: number): Buffer {
	return controlFrame(frameTypes.rstStream, 0, Buffer.concat([uint32(streamId), uint32(status)]));
}

export function goAway(lastStreamId: number): Buffer {
	return controlFrame(frameTypes.goAway, 0, Buffer.concat([uint32(lastStreamId), uint32(0)]));
}
