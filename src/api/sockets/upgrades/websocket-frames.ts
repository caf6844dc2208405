/**
 * Hands the frames of a WebSocket on one by one. Clients that wait for their socket to become readable see what came in
 * one TLS record with another frame only when the next record comes, which after the last frame is never.
 */
import type { Duplex } from "node:stream";

/**
 * Where the frames of a byte stream end (RFC 6455, section 5.2), behind the head of an HTTP answer. Keeps its place
 * between chunks.
 */
export class FrameBoundaries {
	/** Undefined while the head is read; then what is missing of the frame under way, 0 between two. */
	#missing: number | undefined;
	/** The beginning of a head or of a frame whose length is not known yet. */
	#begun: Buffer = Buffer.alloc(0);

	/** The chunk in pieces, none of which holds bytes of two frames. */
	split(chunk: Buffer): Buffer[] {
		const pieces: Buffer[] = [];
		let start = 0;
		let at = 0;
		while (at < chunk.length) {
			if (this.#missing === undefined || this.#missing === 0) {
				const known = this.#begun.length;
				const rest = chunk.subarray(at);
				// Of a frame only its length matters: what is joined is no more than that takes.
				const begun = this.#missing === 0 ? rest.subarray(0, longestFrameHead - known) : rest;
				this.#begun = known === 0 ? begun : Buffer.concat([this.#begun, begun]);
				const length = this.#missing === undefined ? headLength(this.#begun) : frameLength(this.#begun);
				if (length === undefined) {
					// No head ends so late: what comes is no WebSocket, and passes as it is.
					if (this.#begun.length > longestHeadBytes) this.#missing = Number.POSITIVE_INFINITY;
					if (this.#missing === Number.POSITIVE_INFINITY) this.#begun = Buffer.alloc(0);
					break;
				}
				this.#begun = Buffer.alloc(0);
				this.#missing = length - known;
			}
			const taken = Math.min(this.#missing, chunk.length - at);
			at += taken;
			this.#missing -= taken;
			if (this.#missing > 0) continue;
			pieces.push(chunk.subarray(start, at));
			start = at;
		}
		if (start < chunk.length) pieces.push(chunk.subarray(start));
		return pieces;
	}
}

const longestHeadBytes = 16 * 1024;
/** Two bytes, a length of eight, a mask of four. */
const longestFrameHead = 14;

function headLength(bytes: Buffer): number | undefined {
	const end = bytes.indexOf("\r\n\r\n");
	return end < 0 ? undefined : end + 4;
}

/** Of the first frame in all. Undefined when too little of it is there to know. */
function frameLength(bytes: Buffer): number | undefined {
	const second = bytes[1];
	if (second === undefined) return undefined;
	const mask = second & 0x80 ? 4 : 0;
	const short = second & 0x7f;
	if (short < 126) return 2 + mask + short;
	if (short === 126) return bytes.length < 4 ? undefined : 4 + mask + bytes.readUInt16BE(2);
	return bytes.length < 10 ? undefined : 10 + mask + Number(bytes.readBigUInt64BE(2));
}

/** As `pipe`, with a write of its own for each frame. */
export async function pipeFrames(from: Duplex, to: Duplex): Promise<void> {
	const boundaries = new FrameBoundaries();
	for await (const chunk of from) {
		// Duplex streams of sockets carry bytes.
		for (const piece of boundaries.split(chunk as Buffer)) {
			// Written, not only queued: what waits together becomes one record.
			if (!to.writable) return;
			await new Promise<void>((resolve) => to.write(piece, () => resolve()));
		}
	}
	to.end();
}
