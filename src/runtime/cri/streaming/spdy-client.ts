/** The client side of a SPDY/3.1 connection, as CRI runtimes serve it for exec and attach. */
import { type ClientRequest, request } from "node:http";
import type { Duplex } from "node:stream";
import { isWritable, readFrames, sendFrames } from "../../../core/spdy/connection.ts";
import { controlFrame, type Frame, finFlag, frameTypes, streamIdOf } from "../../../core/spdy/frames.ts";
import { HeaderDecoder, HeaderEncoder, uint32 } from "../../../core/spdy/headers.ts";
import { SpdyStream } from "../../../core/spdy/stream.ts";

/** What a server answers instead of an upgrade is a sentence. */
const longestRefusal = 4096;

/** @throws Error with the server's words if it refuses the protocol or the request */
export function connectSpdy(url: string, protocol: string, signal: AbortSignal): Promise<SpdyClient> {
	return new Promise((resolve, reject) => {
		const headers = { connection: "Upgrade", upgrade: "SPDY/3.1", "x-stream-protocol-version": protocol };
		const asked: ClientRequest = request(url, { method: "POST", headers, signal, agent: false });
		asked.once("upgrade", (_response, socket, head) => resolve(new SpdyClient(socket, head)));
		asked.once("response", (response) => {
			let text = "";
			response.on("data", (chunk) => {
				if (text.length < longestRefusal) text += chunk;
			});
			response.on("end", () => reject(new Error(text.trim() || `the runtime answered ${response.statusCode}`)));
		});
		asked.once("error", reject);
		asked.end();
	});
}

export class SpdyClient {
	/** Resolves when the connection is closed, for any reason. */
	readonly closed: Promise<void>;
	readonly #socket: Duplex;
	readonly #streams = new Map<number, SpdyStream>();
	readonly #encoder = new HeaderEncoder();
	readonly #decoder = new HeaderDecoder();
	/** Clients use odd numbers. */
	#nextId = 1;

	constructor(socket: Duplex, head: Buffer) {
		this.#socket = socket;
		this.closed = this.#run(head);
	}

	/** A stream that is open on both sides. */
	open(headers: Readonly<Record<string, string>>): SpdyStream {
		const id = this.#nextId;
		this.#nextId += 2;
		const block = this.#encoder.encode(new Map(Object.entries(headers)));
		// Stream, associated stream, priority.
		const payload = Buffer.concat([uint32(id), uint32(0), Buffer.alloc(2), block]);
		const named = new Map(Object.entries(headers));
		const stream = new SpdyStream(
			id,
			named,
			(frames) => this.#send(frames),
			() => {},
		);
		stream.on("error", () => {});
		stream.once("close", () => this.#streams.delete(id));
		this.#streams.set(id, stream);
		void this.#send([controlFrame(frameTypes.synStream, 0, payload)]);
		return stream;
	}

	close(): void {
		this.#socket.destroy();
	}

	async #run(head: Buffer): Promise<void> {
		await readFrames(this.#socket, head, {
			handle: (frame) => this.#handle(frame),
			ended: () => this.#endStreams(),
		});
		this.#decoder.close();
	}

	async #handle(frame: Frame): Promise<void> {
		if (frame.type === "data") {
			const stream = this.#streams.get(frame.streamId);
			await stream?.receive(frame.payload);
			if ((frame.flags & finFlag) !== 0) stream?.receiveEnd();
			return;
		}
		switch (frame.control) {
			case frameTypes.synReply:
			case frameTypes.headers:
				// The decompressor must process every block.
				await this.#decoder.decode(frame.payload.subarray(4));
				if ((frame.flags & finFlag) !== 0) this.#streams.get(streamIdOf(frame))?.receiveEnd();
				return;
			case frameTypes.rstStream:
				this.#streams.get(streamIdOf(frame))?.receiveEnd();
				return;
			case frameTypes.ping:
				// Odd IDs are responses to pings of clients.
				if (frame.payload.readUInt32BE(0) % 2 === 0)
					await this.#send([controlFrame(frameTypes.ping, 0, frame.payload)]);
		}
	}

	#endStreams(): void {
		for (const stream of this.#streams.values()) {
			stream.receiveEnd();
			stream.end();
		}
		this.#streams.clear();
	}

	/** Resolves when there is room for more. Commands may end without reading their input: the rest of it is dropped. */
	#send(frames: Buffer[]): Promise<void> {
		return isWritable(this.#socket) ? sendFrames(this.#socket, frames) : Promise.resolve();
	}
}
