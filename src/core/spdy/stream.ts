/** A stream of a SPDY/3.1 connection. */
import { Duplex } from "node:stream";
import { dataFrames } from "./frames.ts";
import type { Headers } from "./headers.ts";

/** The number of unread bytes of a stream above which the connection waits. */
const streamBufferBytes = 1024 * 1024;

/** One stream: writing sends, reading receives, `end` closes this side's half. */
export class SpdyStream extends Duplex {
	readonly id: number;
	readonly headers: Headers;
	readonly #send: (frames: Buffer[]) => Promise<void>;
	readonly #taken: () => void;
	#drained: (() => void) | undefined;

	/** @param taken called when data was read, or none will be read any more */
	constructor(id: number, headers: Headers, send: (frames: Buffer[]) => Promise<void>, taken: () => void) {
		super({ allowHalfOpen: true, readableHighWaterMark: streamBufferBytes });
		this.id = id;
		this.headers = headers;
		this.#send = send;
		this.#taken = taken;
	}

	/** Delivers data; resolves when there is room for more. */
	receive(data: Buffer): Promise<void> | undefined {
		if (this.destroyed || this.readableEnded || data.length === 0 || this.push(data)) return undefined;
		return new Promise((resolve) => {
			this.#drained = resolve;
		});
	}

	/** The other side has closed its half. */
	receiveEnd(): void {
		if (!this.destroyed) this.push(null);
	}

	override _read(): void {
		this.#drained?.();
		this.#drained = undefined;
		this.#taken();
	}

	override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
		this.#send(dataFrames(this.id, chunk, false)).then(() => done(), done);
	}

	override _final(done: (error?: Error) => void): void {
		this.#send(dataFrames(this.id, Buffer.alloc(0), true)).then(() => done(), done);
	}

	override _destroy(error: Error | null, done: (error: Error | null) => void): void {
		this._read();
		done(error);
	}
}
