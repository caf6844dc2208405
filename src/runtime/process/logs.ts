/** From a container's FIFOs to its log file in the CRI format, and to whoever has attached. */
import { closeSync, constants, fstatSync, ftruncateSync, mkdirSync, openSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { dirname } from "node:path";
import { type Clock, microTimestamp } from "../../core/clock.ts";
import { Journal } from "./journal.ts";

export type StreamName = "stdout" | "stderr";
export type Tap = (stream: StreamName, chunk: Buffer) => void;

/** Longer lines are cut into partial ones, as containerd does. */
const longestLine = 16 * 1024;
/** Read into by all, one at a time: what is read is dealt with before the next read. */
const readBuffer = Buffer.alloc(64 * 1024);
const newline = Buffer.from("\n");

/**
 * Reads both FIFOs until the shim's end mark, or until nobody writes any more. What was read is on disk before anything else
 * happens, so that a crash of the agent loses nothing; a line without its end is written at once as a partial one.
 */
export class LogPump {
	readonly ended: Promise<void>;
	readonly #clock: Clock;
	readonly #path: string;
	readonly #endMark: Buffer;
	readonly #taps = new Set<Tap>();
	readonly #sockets: Socket[] = [];
	#file: number;
	#size: number;

	constructor(options: { directory: string; logPath: string; endMark: string; clock: Clock }) {
		this.#clock = options.clock;
		this.#path = options.logPath;
		this.#endMark = Buffer.from(`${options.endMark}\n`);
		mkdirSync(dirname(this.#path), { recursive: true });
		this.#file = openSync(this.#path, "a", 0o640);
		this.#size = fstatSync(this.#file).size;
		const streams = [
			this.#read(`${options.directory}/out`, "stdout"),
			this.#read(`${options.directory}/err`, "stderr"),
		];
		this.ended = Promise.all(streams).then(() => {
			closeSync(this.#file);
			this.#file = -1;
		});
	}

	/** Goes on in a new file after the old one was renamed. */
	reopen(): void {
		if (this.#file < 0) return;
		const next = openSync(this.#path, "a", 0o640);
		closeSync(this.#file);
		this.#file = next;
		this.#size = fstatSync(next).size;
	}

	tap(tap: Tap): () => void {
		this.#taps.add(tap);
		return () => this.#taps.delete(tap);
	}

	/** Lets go of the FIFOs; what is in them stays for the next reader. */
	close(): void {
		for (const socket of this.#sockets) socket.destroy();
	}

	/** Resolves when the stream has ended or was let go. */
	#read(path: string, stream: StreamName): Promise<void> {
		const journal = new Journal(`${path}.journal`);
		// What might be the beginning of the end mark waits for the rest of it.
		let held: Buffer = Buffer.alloc(0);
		const take = (chunk: Buffer) => {
			const data = held.length > 0 ? Buffer.concat([held, chunk]) : chunk;
			journal.begin(data, this.#size);
			const ends = data.subarray(-this.#endMark.length).equals(this.#endMark);
			const keep = ends ? this.#endMark.length : this.#prefixAtEnd(data);
			held = ends ? Buffer.alloc(0) : Buffer.from(data.subarray(data.length - keep));
			if (data.length > keep) this.#write(stream, data.subarray(0, data.length - keep));
			// Should the agent end now, the next one sees the mark again.
			journal.finish(ends ? this.#endMark : held);
			if (ends) socket.destroy();
		};
		const callback = (length: number, buffer: Uint8Array) => {
			take(Buffer.from(buffer.buffer, buffer.byteOffset, length));
			return true;
		};
		const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
		// A variable, because the type of the argument leaves out `onread`, which Node documents.
		const options = { fd, readable: true, writable: false, onread: { buffer: readBuffer, callback } };
		const socket = new Socket(options);
		this.#sockets.push(socket);
		socket.on("error", () => socket.destroy());
		const left = journal.recover();
		if (left !== undefined) {
			this.#rewind(left.logSize);
			take(left.data);
		}
		socket.resume();
		return new Promise((resolve) => {
			socket.on("close", () => {
				journal.close();
				resolve();
			});
		});
	}

	/** Takes back what the agent before this one wrote of the chunk that it did not finish. */
	#rewind(size: number | undefined): void {
		// A smaller file is a new one: the rest went into the one before it.
		if (size === undefined || this.#size < size) return;
		ftruncateSync(this.#file, size);
		this.#size = size;
	}

	#prefixAtEnd(data: Buffer): number {
		for (let length = Math.min(data.length, this.#endMark.length - 1); length > 0; length--) {
			if (data.subarray(data.length - length).equals(this.#endMark.subarray(0, length))) return length;
		}
		return 0;
	}

	#write(stream: StreamName, data: Buffer): void {
		const text = this.#format(stream, data);
		for (let written = 0; written < text.length; ) written += writeSync(this.#file, text, written);
		this.#size += text.length;
		// Those who listen keep their copy longer than the buffer lasts.
		if (this.#taps.size === 0) return;
		const copy = Buffer.from(data);
		for (const tap of this.#taps) tap(stream, copy);
	}

	/** CRI lines; all of one chunk have one time. */
	#format(stream: StreamName, data: Buffer): Buffer {
		const head = `${microTimestamp(this.#clock.now()).slice(0, -1)}000Z ${stream} `;
		const full = Buffer.from(`${head}F `);
		const partial = Buffer.from(`${head}P `);
		const parts: Buffer[] = [];
		let start = 0;
		while (start < data.length) {
			const at = data.indexOf(10, start);
			const lineEnd = at < 0 ? data.length : at;
			const end = Math.min(lineEnd, start + longestLine);
			const complete = at >= 0 && end === lineEnd;
			parts.push(complete ? full : partial, data.subarray(start, end), newline);
			start = complete ? end + 1 : end;
		}
		return Buffer.concat(parts);
	}
}
