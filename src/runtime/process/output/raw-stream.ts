/**
 * One output stream of a container, as written by its relay: a file with all data, and a FIFO that signals new data.
 */
import { closeSync, constants, openSync, readSync, rmSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { runTool } from "../machine/tool.ts";
import { wholeLines } from "./cri-format.ts";

/** Data from the FIFO is only a signal: all streams share one buffer for it, and one for data from files. */
const bellBuffer = Buffer.alloc(64 * 1024);
const readBuffer = Buffer.alloc(64 * 1024);
/** Processed parts of the file are released on the disk in units of this size. */
const reclaimBytes = 4 * 1024 * 1024;

/**
 * The relay (see `shimScript`) writes each piece first to the file and then to the FIFO, so after a signal the piece is
 * in the file. A full FIFO blocks the relay: without an agent, the stored output of a container is limited by the
 * capacity of two pipes.
 */
export class RawStream {
	/** Resolves when the stream has ended or was closed. */
	readonly ended: Promise<void>;
	/** Number of bytes of the stream that are in the log. */
	position: number;
	readonly #path: string;
	readonly #take: (data: Buffer) => void;
	readonly #hear: (data: Buffer) => void;
	readonly #fd: number;
	readonly #bellFd: number;
	readonly #bell: Socket;
	readonly #endMark: Buffer;
	/** Number of bytes that listeners have: ahead of the log by an incomplete line. */
	#told: number;
	/** The last bytes from the FIFO, which may be the beginning of the end mark. */
	#heard: Buffer = Buffer.alloc(0);
	#reclaimed: number;
	#reclaiming = false;
	#done = false;

	/**
	 * @param options.path of its files, without their suffixes
	 * @param options.position where to begin
	 * @param options.take processes complete lines, parts of lines that are too long, and the rest when the stream has
	 * ended. Like `hear`, it must not keep the piece, because the buffer is reused
	 * @param options.hear processes each piece as it arrives
	 */
	constructor(options: {
		path: string;
		endMark: Buffer;
		position: number;
		take: (data: Buffer) => void;
		hear: (data: Buffer) => void;
	}) {
		this.#path = options.path;
		this.#take = options.take;
		this.#hear = options.hear;
		this.#endMark = options.endMark;
		this.position = options.position;
		this.#told = options.position;
		this.#reclaimed = options.position;
		this.#fd = openSync(`${options.path}.raw`, constants.O_RDONLY | constants.O_CREAT, 0o600);
		const callback = (length: number) => {
			this.#drain();
			// The mark may be missing in the file if the disk is full, but it still arrives on the FIFO.
			if (this.#hearsEnd(bellBuffer.subarray(0, length))) this.#end();
			return true;
		};
		this.#bellFd = openSync(`${options.path}.bell`, constants.O_RDONLY | constants.O_NONBLOCK);
		// A variable, because the argument's type omits `onread`, which Node documents.
		const bell = {
			fd: this.#bellFd,
			readable: true,
			writable: false,
			onread: { buffer: bellBuffer, callback },
		};
		this.#bell = new Socket(bell);
		this.#bell.on("error", () => this.#bell.destroy());
		this.ended = new Promise((resolve) => {
			this.#bell.on("close", () => {
				// Without its relay, the stream has ended as well, and all data is in the file.
				if (!this.#done) this.#end();
				closeSync(this.#fd);
				resolve();
			});
		});
	}

	/**
	 * Reads the file and listens for more.
	 * @param orphaned the container's supervisor has ended. Its relay may have ended as well, and a FIFO without a writer
	 * would be silent forever: its end is only reported to readers that opened it earlier
	 */
	start(orphaned: boolean): void {
		this.#drain();
		if (orphaned && !this.#done && !this.#hasWriter()) this.#end();
		this.#bell.resume();
	}

	#hasWriter(): boolean {
		for (;;) {
			try {
				const length = readSync(this.#bellFd, bellBuffer, 0, bellBuffer.length, null);
				if (length === 0) return false;
				this.#drain();
				if (this.#hearsEnd(bellBuffer.subarray(0, length))) return false;
			} catch {
				// Nothing to read now: the relay has it open.
				return true;
			}
		}
	}

	/** A piece that is known to be in the file. */
	readAgain(length: number): Buffer {
		const data = Buffer.alloc(length);
		return data.subarray(0, readSync(this.#fd, data, 0, length, this.position));
	}

	close(): void {
		this.#done = true;
		this.#bell.destroy();
	}

	/** Takes the rest, including an incomplete line. */
	#end(): void {
		this.#drain(true);
		this.close();
	}

	#drain(hasEnded = false): void {
		for (let full = true; full && !this.#done; ) {
			const length = readSync(this.#fd, readBuffer, 0, readBuffer.length, this.position);
			full = length === readBuffer.length;
			const data = readBuffer.subarray(0, length);
			const end = data.indexOf(this.#endMark);
			// A possible beginning of the end mark waits for the rest.
			const said = data.subarray(0, end >= 0 ? end : length - this.#markBegun(data));
			this.#tell(said);
			const isRest = end >= 0 || (hasEnded && !full);
			const piece = isRest ? said : said.subarray(0, wholeLines(said));
			if (piece.length > 0) {
				this.#take(piece);
				this.#reclaim();
				this.position += piece.length;
			}
			if (end >= 0) this.close();
		}
	}

	#tell(said: Buffer): void {
		const fresh = said.subarray(Math.max(this.#told - this.position, 0));
		if (fresh.length === 0) return;
		this.#told = this.position + said.length;
		this.#hear(fresh);
	}

	#markBegun(data: Buffer): number {
		for (let length = Math.min(data.length, this.#endMark.length - 1); length > 0; length--) {
			if (data.subarray(data.length - length).equals(this.#endMark.subarray(0, length))) return length;
		}
		return 0;
	}

	#hearsEnd(heard: Buffer): boolean {
		const text = Buffer.concat([this.#heard, heard.subarray(-2 * this.#endMark.length)]);
		this.#heard = text.subarray(-this.#endMark.length);
		return text.includes(this.#endMark);
	}

	/**
	 * Punches a hole instead of truncating the file, because the relay may append at any time. The last piece is kept for
	 * the journal.
	 */
	#reclaim(): void {
		const length = this.position;
		if (this.#reclaiming || length - this.#reclaimed < reclaimBytes) return;
		this.#reclaiming = true;
		const args = ["--punch-hole", "--offset", "0", "--length", String(length), `${this.#path}.raw`];
		const done = () => {
			this.#reclaimed = length;
			this.#reclaiming = false;
		};
		void runTool("fallocate", args).then(done, done);
	}
}

/** Whether the directory's file system supports punching holes. */
export async function canReclaim(directory: string): Promise<boolean> {
	const path = `${directory}/reclaim-probe`;
	writeFileSync(path, "x");
	try {
		await runTool("fallocate", ["--punch-hole", "--offset", "0", "--length", "1", path]);
		return true;
	} catch {
		return false;
	} finally {
		rmSync(path, { force: true });
	}
}
