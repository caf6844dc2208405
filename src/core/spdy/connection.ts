/** What both sides of a SPDY/3.1 connection do: take frames in their order, and send with TCP's flow control. */
import type { Duplex } from "node:stream";
import { type Frame, FrameReader } from "./frames.ts";

export interface FrameTaker {
	/** Called for one frame at a time: the next one is read when it has resolved. */
	handle(frame: Frame): Promise<void>;
	/** The connection is closed. May be called twice, and while `handle` waits for a stream to be read. */
	ended(): void;
}

/**
 * Resolves when the connection is closed, for any reason.
 * @param head bytes that were read together with the upgrade
 */
export async function readFrames(socket: Duplex, head: Buffer, taker: FrameTaker): Promise<void> {
	const reader = new FrameReader();
	socket.on("error", () => {});
	socket.once("close", () => taker.ended());
	try {
		for (const frame of reader.push(head)) await taker.handle(frame);
		for await (const chunk of socket) {
			// The socket has no encoding, so it returns Buffers.
			for (const frame of reader.push(chunk as Buffer)) await taker.handle(frame);
		}
	} catch {
		// The other side has disconnected, or does not speak SPDY: the connection is closed.
	} finally {
		taker.ended();
		socket.destroy();
	}
}

export function isWritable(socket: Duplex): boolean {
	return !socket.destroyed && !socket.writableEnded;
}

/** Resolves when there is room for more, or the connection is closed. */
export function sendFrames(socket: Duplex, frames: readonly Buffer[]): Promise<void> {
	let room = true;
	for (const frame of frames) if (frame.length > 0) room = socket.write(frame);
	if (room) return Promise.resolve();
	return new Promise((resolve) => {
		const go = () => {
			socket.off("drain", go).off("close", go);
			resolve();
		};
		socket.on("drain", go).on("close", go);
	});
}
