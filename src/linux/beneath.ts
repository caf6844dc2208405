/**
 * Paths below a directory in which other processes may change names and links at any time. Links are followed, but
 * never out of the directory: each component is opened relative to the descriptor of the previous one. `no-links.ts`
 * rejects links. Linux only. A walk costs about ten microseconds per component.
 */
import {
	chmodSync,
	closeSync,
	constants,
	fchmodSync,
	fstatSync,
	mkdirSync,
	openSync,
	readlinkSync,
	type Stats,
} from "node:fs";
import { descriptorPath, isCode, O_PATH } from "./descriptors.ts";

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

const mostLinks = 40;

/** The path, or a link in it, leads out of the directory. */
export class LeavesDirectory extends Error {
	constructor(path: string) {
		super(`${path} leads out of its directory`);
		this.name = "LeavesDirectory";
	}
}

export interface BeneathOptions {
	/** `inside`: rejects what leads out; `root`: absolute links and `..` end at the directory, as in a chroot. */
	links: "inside" | "root";
	/** What to create if nothing exists, including the directories above it. Default: nothing. */
	make?: "directory" | "file";
	/** Mode of what is created; directories above a file get 0755. */
	mode?: number;
}

/**
 * Opens a path. The descriptor can be examined (`fstatSync`) and reopened with `descriptorPath`; the caller closes it.
 * @throws LeavesDirectory; Error with `code` ENOENT, ENOTDIR, ELOOP or another system error
 */
export function openBeneath(directory: string, path: string, options: BeneathOptions): number {
	const walk = new Walk(directory, path, options);
	try {
		return walk.run();
	} finally {
		walk.close();
	}
}

/**
 * The status of a path; undefined if it does not exist.
 * @throws like `openBeneath`
 */
export function statBeneath(directory: string, path: string, options: BeneathOptions): Stats | undefined {
	let fd: number;
	try {
		fd = openBeneath(directory, path, options);
	} catch (error) {
		if (isCode(error, "ENOENT")) return undefined;
		throw error;
	}
	try {
		return fstatSync(fd);
	} finally {
		closeSync(fd);
	}
}

class Walk {
	readonly #path: string;
	readonly #options: BeneathOptions;
	/** Descriptors of the directories on the current path. */
	readonly #open: number[];
	#rest: string[];
	#links = 0;

	constructor(directory: string, path: string, options: BeneathOptions) {
		this.#path = path;
		this.#options = options;
		this.#open = [openSync(directory, O_PATH | O_DIRECTORY)];
		this.#rest = partsOf(path);
	}

	run(): number {
		for (let part = this.#rest.shift(); part !== undefined; part = this.#rest.shift()) {
			if (part === "..") this.#up();
			else this.#into(part);
		}
		return this.#open.pop() ?? -1;
	}

	close(): void {
		for (const fd of this.#open) closeSync(fd);
	}

	#up(): void {
		if (this.#open.length > 1) closeSync(this.#open.pop() ?? -1);
		else if (this.#options.links === "inside") throw new LeavesDirectory(this.#path);
	}

	#into(part: string): void {
		const at = `${descriptorPath(this.#open.at(-1) ?? -1)}/${part}`;
		const fd = this.#openOrMake(at);
		if (!fstatSync(fd).isSymbolicLink()) {
			this.#open.push(fd);
			return;
		}
		closeSync(fd);
		if (++this.#links > mostLinks) throw Object.assign(new Error(`too many links in ${this.#path}`), { code: "ELOOP" });
		const target = readTarget(at);
		// Replaced in the meantime: try again.
		if (target === undefined) {
			this.#rest.unshift(part);
			return;
		}
		if (target.startsWith("/")) {
			if (this.#options.links === "inside") throw new LeavesDirectory(this.#path);
			while (this.#open.length > 1) closeSync(this.#open.pop() ?? -1);
		}
		this.#rest.unshift(...partsOf(target));
	}

	#openOrMake(at: string): number {
		const { make, mode } = this.#options;
		for (let attempt = 0; ; attempt++) {
			try {
				return openSync(at, O_PATH | O_NOFOLLOW);
			} catch (error) {
				if (!isCode(error, "ENOENT") || make === undefined || attempt > mostLinks) throw error;
			}
			const isFile = make === "file" && this.#rest.length === 0;
			try {
				if (isFile) makeFile(at, mode ?? 0o644);
				else this.#makeDirectory(at, make === "file" ? 0o755 : (mode ?? 0o755));
			} catch (error) {
				// Another process created it first: continue with that.
				if (!isCode(error, "EEXIST")) throw error;
			}
		}
	}

	#makeDirectory(at: string, mode: number): void {
		mkdirSync(at, { mode });
		// Sets the mode regardless of the umask. A link that was created in the meantime has no mode of its own and is not
		// followed.
		const fd = openSync(at, O_PATH | O_NOFOLLOW);
		try {
			if (fstatSync(fd).isDirectory()) chmodSync(descriptorPath(fd), mode);
		} finally {
			closeSync(fd);
		}
	}
}

function makeFile(at: string, mode: number): void {
	const fd = openSync(at, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, mode);
	try {
		fchmodSync(fd, mode);
	} finally {
		closeSync(fd);
	}
}

function partsOf(path: string): string[] {
	return path.split("/").filter((part) => part !== "" && part !== ".");
}

function readTarget(at: string): string | undefined {
	try {
		return readlinkSync(at);
	} catch {
		return undefined;
	}
}
