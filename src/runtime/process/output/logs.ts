/** From a container's streams to its log file in CRI format, and to attached clients. */
import { closeSync, constants, fstatSync, openSync, unlinkSync, writeSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { Clock } from "../../../core/time/clock.ts";
import { isCode } from "../../../linux/descriptors.ts";
import { type HeldDirectory, holdDirectory } from "../../../linux/no-links.ts";
import { criLines } from "./cri-format.ts";
import { Journal, type LogProgress } from "./journal.ts";
import { RawStream } from "./raw-stream.ts";

export type StreamName = "stdout" | "stderr";
export type Tap = (stream: StreamName, chunk: Buffer) => void;

const streamNames = ["stdout", "stderr"] as const;

/**
 * Appends both streams to the log until the supervisor's end mark, or until no process writes any more. After a crash
 * of the agent, the next one continues at the exact byte: the streams are files, and the journal says what the log
 * contains.
 */
export class LogPump {
	readonly ended: Promise<void>;
	readonly #clock: Clock;
	readonly #path: string;
	readonly #taps = new Set<Tap>();
	readonly #journal: Journal;
	readonly #streams: RawStream[];
	#file: number;
	#log: LogProgress["log"];

	/**
	 * @param options.paths of the streams' files, without their suffixes; standard output first, or alone with a terminal
	 * @param options.orphaned the container's supervisor has ended: see `RawStream.start`
	 */
	constructor(options: {
		paths: readonly string[];
		journalPath: string;
		logPath: string;
		endMark: string;
		clock: Clock;
		orphaned?: boolean;
	}) {
		this.#clock = options.clock;
		this.#path = options.logPath;
		this.#journal = new Journal(options.journalPath);
		this.#file = openLog(this.#path);
		this.#log = identityOf(this.#file);
		const before = this.#journal.read();
		const endMark = Buffer.from(`${options.endMark}\n`);
		this.#streams = options.paths.map((path, index) => {
			const position = before?.positions[index] ?? 0;
			return new RawStream({
				path,
				endMark,
				position,
				take: (data) => this.#take(index, data),
				hear: (data) => this.#tell(index, data),
			});
		});
		if (before?.pending !== undefined) this.#finish(before, before.pending);
		for (const stream of this.#streams) stream.start(options.orphaned === true);
		this.ended = Promise.all(this.#streams.map((stream) => stream.ended)).then(() => {
			closeSync(this.#file);
			this.#file = -1;
			this.#journal.close();
		});
	}

	/** Continues in a new file after the old one was renamed. */
	reopen(): void {
		if (this.#file < 0) return;
		const next = openLog(this.#path);
		closeSync(this.#file);
		this.#file = next;
		this.#log = identityOf(next);
		this.#journal.write({ positions: this.#positions, log: this.#log });
	}

	tap(tap: Tap): () => void {
		this.#taps.add(tap);
		return () => this.#taps.delete(tap);
	}

	/** Stops reading; the rest of the streams is kept for the next reader. */
	close(): void {
		for (const stream of this.#streams) stream.close();
	}

	get #positions(): [number, number] {
		return [this.#streams[0]?.position ?? 0, this.#streams[1]?.position ?? 0];
	}

	#take(stream: number, data: Buffer): void {
		const timeMs = this.#clock.now();
		const text = criLines(streamNames[stream] ?? "stdout", data, timeMs);
		try {
			const pending = { stream, length: data.length, timeMs };
			this.#journal.write({ positions: this.#positions, log: this.#log, pending });
			this.#append(text);
		} catch {
			// The disk is full: the container continues, and its log has a gap.
			this.#log = identityOf(this.#file);
		}
	}

	#tell(stream: number, data: Buffer): void {
		// Listeners keep their copy longer than the buffer is valid.
		if (this.#taps.size === 0) return;
		const copy = Buffer.from(data);
		for (const tap of this.#taps) tap(streamNames[stream] ?? "stdout", copy);
	}

	/** Appends the missing part of the chunk that the previous agent had begun. */
	#finish(before: LogProgress, { stream: index, length, timeMs }: NonNullable<LogProgress["pending"]>): void {
		const stream = this.#streams[index];
		if (stream === undefined) return;
		const text = criLines(streamNames[index] ?? "stdout", stream.readAgain(length), timeMs);
		const arrived = this.#log.size - before.log.size;
		// A log that was renamed or truncated was complete: that happens only between chunks.
		const isSame = this.#log.inode === before.log.inode && arrived >= 0;
		if (isSame && arrived < text.length) this.#append(text.subarray(arrived));
		stream.position += length;
		this.#journal.write({ positions: this.#positions, log: this.#log });
	}

	#append(text: Buffer): void {
		for (let written = 0; written < text.length; ) written += writeSync(this.#file, text, written);
		this.#log = { inode: this.#log.inode, size: this.#log.size + text.length };
	}
}

/**
 * Opens the container's log for appending. A pod with access to the logs may have replaced it: a link is removed, and
 * if the directory is a link, the log is lost, but not the container.
 */
function openLog(path: string): number {
	let parent: HeldDirectory | undefined;
	try {
		parent = holdDirectory(dirname(path), 0o755);
		const name = basename(path);
		const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;
		try {
			return parent.openFileSync(name, flags, 0o640);
		} catch (error) {
			if (!isCode(error, "ELOOP", "NotRegular", "ENXIO")) throw error;
			unlinkSync(parent.at(name));
			return parent.openFileSync(name, flags, 0o640);
		}
	} catch (error) {
		if (!isCode(error, "ENOTDIR", "ELOOP", "NotRegular", "ENXIO", "EISDIR", "EEXIST")) throw error;
		return openSync("/dev/null", "a");
	} finally {
		parent?.close();
	}
}

function identityOf(file: number): LogProgress["log"] {
	const { ino, size } = fstatSync(file, { bigint: true });
	return { inode: ino, size: Number(size) };
}
