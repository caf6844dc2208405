/** Named pipes: made, read and written. */
import { closeSync, constants, mkdirSync, openSync, readdirSync, renameSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { runTool } from "../machine/tool.ts";

/** Made at once, for several containers: to start a program costs more than all that it makes. */
const batchSize = 64;

/** Named pipes that are made and not used yet. */
export class FifoStore {
	readonly #directory: string;
	readonly #names: string[];
	/** One batch at a time. */
	#filling: Promise<void> = Promise.resolve();

	/** @param directory on the file system of the containers' own; what an agent before left in it is used */
	constructor(directory: string) {
		this.#directory = directory;
		mkdirSync(directory, { recursive: true, mode: 0o700 });
		this.#names = readdirSync(directory);
	}

	/** Puts a pipe at each path, which anyone may open who gets there. */
	async take(paths: readonly string[]): Promise<void> {
		while (this.#names.length < paths.length) await this.#fill();
		for (const path of paths) renameSync(`${this.#directory}/${this.#names.pop()}`, path);
	}

	#fill(): Promise<void> {
		const before = this.#names.length;
		const earlier = this.#filling.catch(() => undefined); // it has been reported, and says nothing of this batch
		this.#filling = earlier.then(async () => {
			if (this.#names.length > before) return;
			// An agent in a process namespace of its own has the number that the one before had, whose pipes may be left.
			const batch = crypto.randomUUID();
			const names = Array.from({ length: batchSize }, (_, index) => `${batch}-${index}`);
			const paths = names.map((name) => `${this.#directory}/${name}`);
			await runTool("mkfifo", ["-m", "666", ...paths]);
			this.#names.push(...names);
		});
		return this.#filling;
	}
}

/** The first line that comes through a FIFO. */
export function firstLine(path: string): { line: Promise<string>; close(): void } {
	const socket = new Socket({
		fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK),
		readable: true,
		writable: false,
	});
	let text = "";
	const line = new Promise<string>((resolve) => {
		socket.on("data", (chunk) => {
			text += chunk.toString();
			if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")));
		});
		socket.on("error", () => resolve(""));
		socket.on("close", () => resolve(""));
	});
	return { line, close: () => socket.destroy() };
}

/** Writes into a FIFO if a reader has it open. */
export function writeFifo(path: string, data: Buffer): void {
	try {
		const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
		try {
			writeSync(fd, data);
		} finally {
			closeSync(fd);
		}
	} catch {
		// Its reader has ended, or is behind.
	}
}
