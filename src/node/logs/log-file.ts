/** Reads a container's log file, optionally from the end, and follows it as it grows. */
import { type FSWatcher, watch } from "node:fs";
import { type FileHandle, lstat } from "node:fs/promises";
import { LineSplitter, type LogOptions, lineRenderer, tailOffset } from "../../core/text/log-lines.ts";
import { isCode } from "../../linux/descriptors.ts";
import { inParent, openRegular } from "../../linux/no-links.ts";

const blockBytes = 64 * 1024;

export interface FollowedContainer {
	/** Whether the container may still write. */
	running(): boolean;
	/**
	 * Calls the listener when the container may have terminated.
	 * @returns a function that unsubscribes
	 */
	onChange(listener: () => void): () => void;
}

/**
 * The log as shown to the client, in blocks. With `follow` it ends when the container has terminated and everything was
 * read, or when the signal aborts.
 */
export async function* readLogFile(
	path: string,
	options: LogOptions,
	container: FollowedContainer,
	signal: AbortSignal,
): AsyncGenerator<Buffer> {
	let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
	for await (const block of lines(path, options, container, signal)) {
		if (block.length >= left) {
			yield block.subarray(0, left);
			return;
		}
		left -= block.length;
		yield block;
	}
}

async function* lines(
	path: string,
	options: LogOptions,
	container: FollowedContainer,
	signal: AbortSignal,
): AsyncGenerator<Buffer> {
	let file = await openIfThere(path);
	if (file === undefined && !options.follow) return;
	const changes = options.follow ? new Changes(path, container, signal) : undefined;
	try {
		let { start: position, end } = file === undefined ? wholeFile : await rangeOf(file, options);
		let splitter = new LineSplitter();
		const render = lineRenderer(options);
		for (;;) {
			// Checked before reading, so that the last read includes everything that the container wrote.
			const more = options.follow && container.running() && !signal.aborted;
			if (file !== undefined) {
				for await (const chunk of readFrom(file, position, end)) {
					position += chunk.length;
					const rendered = [...splitter.push(chunk)].flatMap((line) => render(line) ?? []);
					if (rendered.length > 0) yield Buffer.concat(rendered);
					if (signal.aborted) return;
				}
			}
			if (position >= end) return;
			const next = await successor(path, file, position);
			if (next !== undefined) {
				await file?.close();
				file = next;
				position = 0;
				splitter = new LineSplitter();
				continue;
			}
			if (!more) return;
			await changes?.wait();
		}
	} finally {
		changes?.close();
		await file?.close();
	}
}

/** The file that replaced the one being read, after rotation or when it first appears. */
async function successor(
	path: string,
	file: FileHandle | undefined,
	position: number,
): Promise<FileHandle | undefined> {
	const now = await inParent(path, (parent, name) => lstat(parent.at(name))).catch(() => undefined);
	if (now === undefined) return undefined;
	const before = await file?.stat();
	if (before !== undefined && before.ino === now.ino && now.size >= position) return undefined;
	return openIfThere(path);
}

/** A pod with access to the logs may have replaced a log with something else, which is not read. */
async function openIfThere(path: string): Promise<FileHandle | undefined> {
	try {
		return await openRegular(path);
	} catch (error) {
		if (isCode(error, "ENOENT", "ELOOP", "ENOTDIR", "NotRegular")) return undefined;
		throw error;
	}
}

async function* readFrom(file: FileHandle, position: number, end: number): AsyncGenerator<Buffer> {
	for (;;) {
		const length = Math.min(blockBytes, end - position);
		if (length <= 0) return;
		const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, position);
		if (bytesRead === 0) return;
		position += bytesRead;
		yield buffer.subarray(0, bytesRead);
	}
}

const wholeFile = { start: 0, end: Number.POSITIVE_INFINITY };

/**
 * The byte range to read. Without `follow`, lines that are appended in the meantime do not change which lines are the
 * last ones.
 */
async function rangeOf(
	file: FileHandle,
	{ tailLines, follow }: Pick<LogOptions, "tailLines" | "follow">,
): Promise<{ start: number; end: number }> {
	if (tailLines === undefined || tailLines < 0) return wholeFile;
	const { size } = await file.stat();
	return { start: await startOf(file, size, tailLines), end: follow ? Number.POSITIVE_INFINITY : size };
}

/** Searches backwards for the beginning of the last lines. */
async function startOf(file: FileHandle, size: number, tailLines: number): Promise<number> {
	if (tailLines === 0) return size;
	let end = size;
	let missing = tailLines;
	while (end > 0) {
		const start = Math.max(end - blockBytes, 0);
		const { buffer } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
		const found = tailOffset(buffer, missing);
		if ("offset" in found) return start + found.offset;
		missing = found.missing;
		end = start;
	}
	return 0;
}

/** Signals that a file may have grown or been replaced, or its container terminated. */
class Changes {
	readonly #stop: () => void;
	readonly #signal: AbortSignal;
	#watcher: FSWatcher | undefined;
	#changed = false;
	#waiting: (() => void) | undefined;

	constructor(path: string, container: FollowedContainer, signal: AbortSignal) {
		this.#signal = signal;
		this.#stop = container.onChange(this.#tell);
		signal.addEventListener("abort", this.#tell, { once: true });
		const [, directory = "/", name = ""] = /^(.*)\/([^/]*)$/.exec(path) ?? [];
		try {
			// Watches the directory, not the file: rotation replaces the file.
			this.#watcher = watch(directory, (_event, changed) => {
				if (changed === null || changed === name) this.#tell();
			});
			this.#watcher.on("error", this.#tell);
		} catch {
			// Without a watch (no inotify instance left), only changes of the container wake the reader.
		}
	}

	readonly #tell = () => {
		this.#changed = true;
		this.#waiting?.();
	};

	async wait(): Promise<void> {
		if (!this.#changed && !this.#signal.aborted) {
			await new Promise<void>((resolve) => {
				this.#waiting = resolve;
			});
		}
		this.#waiting = undefined;
		this.#changed = false;
	}

	close(): void {
		this.#stop();
		this.#signal.removeEventListener("abort", this.#tell);
		this.#watcher?.close();
	}
}
