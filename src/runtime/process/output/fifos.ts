/** Creates, reads and writes named pipes. */
import { closeSync, constants, mkdirSync, openSync, readdirSync, renameSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { runTool } from "../machine/tool.ts";

/** Created at once for several containers: starting the program costs more than its work. */
const batchSize = 64;

/** Named pipes that are created but not used yet. */
export class FifoStore {
	readonly #directory: string;
	readonly #names: string[];
	/** One batch at a time. */
	#filling: Promise<void> = Promise.resolve();

	/**
	 * @param directory on the file system of the containers' directories; pipes that a previous agent left in it are used
	 */
	constructor(directory: string) {
		this.#directory = directory;
		mkdirSync(directory, { recursive: true, mode: 0o700 });
		this.#names = readdirSync(directory);
	}

	/** Moves a pipe to each path; anyone with access to the path may open it. */
	async take(paths: readonly string[]): Promise<void> {
		while (this.#names.length < paths.length) await this.#fill();
		for (const path of paths) renameSync(`${this.#directory}/${this.#names.pop()}`, path);
	}

	#fill(): Promise<void> {
		const before = this.#names.length;
		const earlier = this.#filling.catch(() => undefined); // it has been reported, and says nothing of this batch
		this.#filling = earlier.then(async () => {
			if (this.#names.length > before) return;
			// An agent in its own PID namespace has the same PID as the previous one, whose pipes may still exist.
			const batch = crypto.randomUUID();
			const names = Array.from({ length: batchSize }, (_, index) => `${batch}-${index}`);
			const paths = names.map((name) => `${this.#directory}/${name}`);
			await runTool("mkfifo", ["-m", "666", ...paths]);
			this.#names.push(...names);
		});
		return this.#filling;
	}
}

/** The first line read from a FIFO. */
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

/** Writes to a FIFO if it has a reader. */
export function writeFifo(path: string, data: Buffer): void {
	try {
		const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
		try {
			writeSync(fd, data);
		} finally {
			closeSync(fd);
		}
	} catch {
		// Its reader has ended, or does not keep up.
	}
}
