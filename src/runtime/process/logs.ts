/** From a container's FIFOs to its log file in the CRI format, and to whoever has attached. */
import { closeSync, constants, mkdirSync, openSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { dirname } from "node:path";
import { type Clock, microTimestamp } from "../../core/clock.ts";

export type StreamName = "stdout" | "stderr";
export type Tap = (stream: StreamName, chunk: Buffer) => void;

/** Longer lines are cut into partial ones, as containerd does. */
const longestLine = 16 * 1024;

/**
 * Reads both FIFOs until the shim's end mark, or until nobody writes any more. What was read is in the file before anything
 * else happens, so that a crash of the agent loses nothing; a line without its end is written at once as a partial one.
 */
export class LogPump {
	readonly ended: Promise<void>;
	readonly #clock: Clock;
	readonly #path: string;
	readonly #endMark: Buffer;
	readonly #taps = new Set<Tap>();
	readonly #sockets: Socket[] = [];
	#file: number;

	constructor(options: { directory: string; logPath: string; endMark: string; clock: Clock }) {
		this.#clock = options.clock;
		this.#path = options.logPath;
		this.#endMark = Buffer.from(`${options.endMark}\n`);
		mkdirSync(dirname(this.#path), { recursive: true });
		this.#file = openSync(this.#path, "a", 0o640);
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
	}

	tap(tap: Tap): () => void {
		this.#taps.add(tap);
		return () => this.#taps.delete(tap);
	}

	/** Lets go of the FIFOs; what is in them stays for the next reader. */
	close(): void {
		for (const socket of this.#sockets) socket.destroy();
	}

	#read(path: string, stream: StreamName): Promise<void> {
		const socket = new Socket({
			fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK),
			readable: true,
			writable: false,
		});
		this.#sockets.push(socket);
		// What might be the beginning of the end mark waits for the rest of it.
		let held = Buffer.alloc(0);
		return new Promise((resolve) => {
			socket.on("data", (chunk) => {
				let data = held.length > 0 ? Buffer.concat([held, chunk]) : chunk;
				const ends = data.subarray(-this.#endMark.length).equals(this.#endMark);
				const keep = ends ? this.#endMark.length : this.#prefixAtEnd(data);
				held = ends ? Buffer.alloc(0) : Buffer.from(data.subarray(data.length - keep));
				data = data.subarray(0, data.length - keep);
				if (data.length > 0) this.#write(stream, data);
				if (ends) socket.destroy();
			});
			socket.on("error", () => socket.destroy());
			socket.on("close", () => resolve());
		});
	}

	#prefixAtEnd(data: Buffer): number {
		for (let length = Math.min(data.length, this.#endMark.length - 1); length > 0; length--) {
			if (data.subarray(data.length - length).equals(this.#endMark.subarray(0, length))) return length;
		}
		return 0;
	}

	#write(stream: StreamName, data: Buffer): void {
		for (const tap of this.#taps) tap(stream, data);
		const head = `${microTimestamp(this.#clock.now()).slice(0, -1)}000Z ${stream} `;
		const full = Buffer.from(`${head}F `);
		const partial = Buffer.from(`${head}P `);
		const newline = Buffer.from("\n");
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
		const text = Buffer.concat(parts);
		for (let written = 0; written < text.length; ) written += writeSync(this.#file, text, written);
	}
}
