/**
 * One output stream of a container, as its relay keeps it: everything in a file, and a FIFO that says when there is
 * more.
 */
import { closeSync, constants, openSync, readSync, rmSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { runTool } from "../machine/tool.ts";
import { wholeLines } from "./cri-format.ts";

/**
 * What is read from the FIFO is only a bell: all streams share one buffer for it, and one for what is read from files.
 */
const bellBuffer = Buffer.alloc(64 * 1024);
const readBuffer = Buffer.alloc(64 * 1024);
/** Of the file, what was dealt with is given back to the disk in pieces of this size. */
const reclaimBytes = 4 * 1024 * 1024;

/**
 * The relay (see `shimScript`) writes each piece to the file first and then to the FIFO, so a reader that hears the
 * bell finds the piece in the file. A full FIFO stops the relay: without an agent, at most what two pipes hold is kept
 * of a container's output.
 */
export class RawStream {
	/** Resolves when the stream has ended or was let go. */
	readonly ended: Promise<void>;
	/** Bytes of the stream that are in the log. */
	position: number;
	readonly #path: string;
	readonly #take: (data: Buffer) => void;
	readonly #hear: (data: Buffer) => void;
	readonly #fd: number;
	readonly #bellFd: number;
	readonly #bell: Socket;
	readonly #endMark: Buffer;
	/** What listeners have: ahead of the log by the beginning of a line. */
	#told: number;
	/** The last bytes heard, where the end mark may have begun. */
	#heard: Buffer = Buffer.alloc(0);
	#reclaimed: number;
	#reclaiming = false;
	#done = false;

	/**
	 * @param options.path of its files, without their endings
	 * @param options.position where to read from
	 * @param options.take deals with whole lines, parts of too long ones, and the rest when the stream has ended. Like
	 *   `hear` it must not keep the piece: the buffer is used again
	 * @param options.hear deals with each piece as it comes
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
			// The file may lack it, for want of space on the disk; the end is heard all the same.
			if (this.#hearsEnd(bellBuffer.subarray(0, length))) this.#end();
			return true;
		};
		this.#bellFd = openSync(`${options.path}.bell`, constants.O_RDONLY | constants.O_NONBLOCK);
		// A variable, because the type of the argument leaves out `onread`, which Node documents.
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
				// Without its relay a stream has ended, too, and all that came is in the file.
				if (!this.#done) this.#end();
				closeSync(this.#fd);
				resolve();
			});
		});
	}

	/**
	 * Reads what is in the file and listens for more.
	 * @param orphaned the container's shim is dead. Then its relay may be, too, and a FIFO that no process has open for
	 * writing would be silent forever: an end is reported only to those who were there while someone wrote.
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
				// Nothing to be heard now: the relay has it open.
				return true;
			}
		}
	}

	/** A piece that is in the file for certain. */
	readAgain(length: number): Buffer {
		const data = Buffer.alloc(length);
		return data.subarray(0, readSync(this.#fd, data, 0, length, this.position));
	}

	close(): void {
		this.#done = true;
		this.#bell.destroy();
	}

	/** Takes what is left, the beginning of a line as well. */
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
			// What might be the beginning of the end mark waits for the rest of it.
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
	 * A hole instead of a shorter file: the relay may append at any moment. The piece taken last is kept for the journal.
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

/** Whether files of a directory can give parts of themselves back to the disk. */
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
