/**
 * The server side of a SPDY/3.1 connection as used by Kubernetes clients: they open streams with headers; both sides
 * send data and close their halves. Flow control is TCP's: an unread stream blocks the connection once its buffer is
 * full.
 */
import type { Duplex } from "node:stream";
import { isWritable, readFrames, sendFrames } from "../../../core/spdy/connection.ts";
import {
	controlFrame,
	type Frame,
	finFlag,
	frameTypes,
	goAway,
	rstStream,
	streamIdOf,
} from "../../../core/spdy/frames.ts";
import { HeaderDecoder, HeaderEncoder, uint32 } from "../../../core/spdy/headers.ts";
import { SpdyStream } from "../../../core/spdy/stream.ts";
import { defaultPingMs, pingUntil, shareOf } from "../held-up/held-up.ts";

const mostStreams = 1000;
/** The same for all streams of a connection, while there are few connections. */
const connectionBytes = 4 * 1024 * 1024;
/** The total is computed each time this many bytes have arrived. */
const countedBytes = 64 * 1024;
const refusedStream = 3;

export interface SpdyConnection {
	/** Resolves when the connection is closed, for any reason. */
	readonly closed: Promise<void>;
	/** Sends GOAWAY and closes the connection after everything was sent. */
	close(): void;
}

/**
 * @param opened called for each stream that the client opens; an error that it throws rejects the stream
 * @param pingMs interval of the pings while the client's data is not read
 */
export function serveSpdy(
	socket: Duplex,
	head: Buffer,
	opened: (stream: SpdyStream) => void,
	pingMs = defaultPingMs,
): SpdyConnection {
	const connection = new Connection(socket, opened, pingMs);
	return { closed: connection.run(head), close: () => connection.close() };
}

class Connection {
	readonly #socket: Duplex;
	readonly #opened: (stream: SpdyStream) => void;
	readonly #streams = new Map<number, SpdyStream>();
	readonly #encoder = new HeaderEncoder();
	readonly #decoder = new HeaderDecoder();
	readonly #pingMs: number;
	readonly #mostBytes: number;
	#lastId = 0;
	/** Servers use even IDs. */
	#lastPing = 0;
	#uncountedBytes = 0;
	#taken: () => void = () => {};

	constructor(socket: Duplex, opened: (stream: SpdyStream) => void, pingMs: number) {
		this.#socket = socket;
		this.#opened = opened;
		this.#pingMs = pingMs;
		this.#mostBytes = shareOf(socket, connectionBytes);
	}

	async run(head: Buffer): Promise<void> {
		await readFrames(this.#socket, head, {
			handle: (frame) => this.#handle(frame),
			ended: () => this.#endStreams(),
		});
		this.#decoder.close();
	}

	#endStreams(): void {
		for (const stream of this.#streams.values()) stream.destroy();
		this.#streams.clear();
		this.#taken();
	}

	close(): void {
		if (!isWritable(this.#socket)) return;
		this.#socket.write(goAway(this.#lastId));
		this.#socket.end();
	}

	async #handle(frame: Frame): Promise<void> {
		if (frame.type === "data") {
			const stream = this.#streams.get(frame.streamId);
			const room = stream?.receive(frame.payload) ?? this.#roomForMore(frame.payload.length);
			if (room !== undefined) await pingUntil(room, () => this.#ping(), this.#pingMs);
			if ((frame.flags & finFlag) !== 0) stream?.receiveEnd();
			return;
		}
		switch (frame.control) {
			case frameTypes.synStream:
				return this.#open(frame);
			case frameTypes.headers: {
				// Decoded even if it is not used: the decompressor must process every block.
				await this.#decoder.decode(frame.payload.subarray(4));
				if ((frame.flags & finFlag) !== 0) this.#streams.get(streamIdOf(frame))?.receiveEnd();
				return;
			}
			case frameTypes.rstStream:
				return this.#reset(streamIdOf(frame));
			case frameTypes.ping:
				// Even IDs are responses to this server's pings.
				if (frame.payload.readUInt32BE(0) % 2 === 0) return;
				return this.#send([controlFrame(frameTypes.ping, 0, frame.payload)]);
		}
	}

	#ping(): void {
		this.#lastPing = (this.#lastPing + 2) % 2 ** 31;
		if (this.#socket.writable) this.#socket.write(controlFrame(frameTypes.ping, 0, uint32(this.#lastPing)));
	}

	/** Resolves when the streams together are within the limit; undefined if they are already. */
	#roomForMore(byteCount: number): Promise<void> | undefined {
		this.#uncountedBytes += byteCount;
		if (this.#uncountedBytes < countedBytes) return undefined;
		this.#uncountedBytes = 0;
		if (this.#heldBytes() <= this.#mostBytes) return undefined;
		return new Promise((resolve) => {
			this.#taken = () => {
				if (this.#heldBytes() > this.#mostBytes) return;
				this.#taken = () => {};
				resolve();
			};
		});
	}

	#heldBytes(): number {
		let bytes = 0;
		for (const { readableLength } of this.#streams.values()) bytes += readableLength;
		return bytes;
	}

	async #open(frame: Extract<Frame, { type: "control" }>): Promise<void> {
		const id = streamIdOf(frame);
		const headers = await this.#decoder.decode(frame.payload.subarray(10));
		if (this.#streams.size >= mostStreams || this.#streams.has(id)) return this.#send([rstStream(id, refusedStream)]);
		this.#lastId = id;
		const stream = new SpdyStream(
			id,
			headers,
			(frames) => this.#send(frames),
			() => this.#taken(),
		);
		stream.on("error", () => {});
		stream.once("close", () => {
			this.#streams.delete(id);
			this.#taken();
		});
		this.#streams.set(id, stream);
		await this.#send([
			controlFrame(frameTypes.synReply, 0, Buffer.concat([uint32(id), this.#encoder.encode(new Map())])),
		]);
		if ((frame.flags & finFlag) !== 0) stream.receiveEnd();
		try {
			this.#opened(stream);
		} catch {
			stream.destroy();
			await this.#send([rstStream(id, refusedStream)]);
		}
	}

	#reset(id: number): void {
		this.#streams.get(id)?.destroy();
		this.#streams.delete(id);
	}

	/** Resolves when there is room for more. */
	#send(frames: Buffer[]): Promise<void> {
		if (!isWritable(this.#socket)) return Promise.reject(new Error("the connection is closed"));
		return sendFrames(this.#socket, frames);
	}
}
