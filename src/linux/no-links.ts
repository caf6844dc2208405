/**
 * Reads, writes and removes files at absolute paths that pods may change at any time. A path is walked directory by
 * directory, each opened relative to the previous one, and symbolic links are rejected. Operations in the open
 * directory then apply to this directory even if its path has changed. `beneath.ts` follows links, but never out of a
 * directory. (Node has neither openat nor openat2; `/proc/self/fd/N/NAME` is equivalent.)
 */
import { closeSync, constants, fstatSync, mkdirSync, openSync } from "node:fs";
import { type FileHandle, open, opendir, rename, rmdir, unlink } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { descriptorPath, isCode, O_PATH } from "./descriptors.ts";

const { O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_TRUNC, O_WRONLY } = constants;
/** Flags for a directory that is only used to open others. */
const heldDirectory = O_PATH | O_DIRECTORY | O_NOFOLLOW;
/** Does not follow a link, and does not wait for the writer of a pipe. */
const careful = O_NOFOLLOW | O_NONBLOCK;

/** The number of directories held open while a tree is removed. */
const deepestHeld = 50;
const mostRounds = 100_000;

/** A directory that is open until `close`. */
export class HeldDirectory {
	/** A path of the open directory, for any function that takes one. */
	readonly path: string;
	readonly #descriptor: number;

	private constructor(descriptor: number) {
		this.#descriptor = descriptor;
		this.path = descriptorPath(descriptor);
	}

	/** @throws Error ENOENT; ENOTDIR also for a link */
	static open(path: string): HeldDirectory {
		return new HeldDirectory(openSync(path, heldDirectory));
	}

	/** A path of the open directory for other processes. */
	get outsidePath(): string {
		return `/proc/${process.pid}/fd/${this.#descriptor}`;
	}

	/**
	 * The path of an entry, which may be a link.
	 * @throws Error for an invalid name
	 */
	at(name: string): string {
		if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0"))
			throw new Error(`${JSON.stringify(name)} is no name of a file`);
		return `${this.path}/${name}`;
	}

	/**
	 * Opens a directory in this one.
	 * @param make permissions with which it is created if it does not exist
	 * @throws Error ENOENT; ENOTDIR also for a link
	 */
	enter(name: string, make?: number): HeldDirectory {
		const path = this.at(name);
		try {
			return HeldDirectory.open(path);
		} catch (error) {
			if (make === undefined || !isCode(error, "ENOENT")) throw error;
		}
		try {
			mkdirSync(path, make);
		} catch (error) {
			if (!isCode(error, "EEXIST")) throw error;
		}
		return HeldDirectory.open(path);
	}

	/**
	 * Opens a regular file, or creates it according to the flags.
	 * @returns its descriptor
	 * @throws Error ENOENT; ELOOP for a link; NotRegular
	 */
	openFileSync(name: string, flags: number, mode?: number): number {
		const descriptor = openSync(this.at(name), flags | careful, mode);
		if (fstatSync(descriptor).isFile()) return descriptor;
		closeSync(descriptor);
		throw new NotRegular(name);
	}

	/** Like `openFileSync`. */
	async openFile(name: string, flags: number, mode?: number): Promise<FileHandle> {
		const file = await open(this.at(name), flags | careful, mode);
		if ((await file.stat()).isFile()) return file;
		await file.close();
		throw new NotRegular(name);
	}

	/**
	 * Writes a regular file in place and sets its permissions, regardless of the umask.
	 * @throws like `openFile`
	 */
	async write(name: string, data: string | Buffer, mode: number): Promise<void> {
		const file = await this.openFile(name, O_WRONLY | O_CREAT | O_TRUNC, mode);
		try {
			await file.writeFile(data);
			await file.chmod(mode);
		} finally {
			await file.close();
		}
	}

	/** Removes a file, or a directory and everything in it. Does nothing if it does not exist. */
	async remove(name: string): Promise<void> {
		if (await unlinked(this.at(name))) return;
		const directory = this.enter(name);
		try {
			for (let round = 0; await directory.#empty(directory, 0); round++)
				if (round === mostRounds) throw new Error(`${name} does not get empty`);
		} finally {
			directory.close();
		}
		await rmdir(this.at(name)).catch(ignoring("ENOENT"));
	}

	/**
	 * Removes everything in this directory. Deep entries are moved up and removed in the next round, which limits the
	 * number of descriptors and the length of paths.
	 * @returns whether there was anything
	 */
	async #empty(top: HeldDirectory, depth: number): Promise<boolean> {
		let found = false;
		for await (const { name } of await opendir(this.path)) {
			found = true;
			if (await unlinked(this.at(name))) continue;
			if (depth === deepestHeld) {
				await rename(this.at(name), top.at(`..removed-${process.hrtime.bigint()}`));
				continue;
			}
			const child = this.enter(name);
			try {
				while (await child.#empty(top, depth + 1));
			} finally {
				child.close();
			}
			await rmdir(this.at(name)).catch(ignoring("ENOENT"));
		}
		return found;
	}

	close(): void {
		closeSync(this.#descriptor);
	}
}

/** It exists, but is not a regular file. */
export class NotRegular extends Error {
	readonly code = "NotRegular";

	constructor(name: string) {
		super(`${name} is no regular file`);
	}
}

/**
 * Opens the directory at an absolute path without following links.
 * @param make permissions with which missing directories are created
 * @throws Error ENOENT; ENOTDIR also for a link
 */
export function holdDirectory(path: string, make?: number): HeldDirectory {
	if (!path.startsWith("/")) throw new Error(`${path} is no absolute path`);
	let directory = HeldDirectory.open("/");
	for (const name of path.split("/")) {
		if (name === "") continue;
		try {
			const next = directory.enter(name, make);
			directory.close();
			directory = next;
		} catch (error) {
			directory.close();
			throw error;
		}
	}
	return directory;
}

/**
 * Calls `act` with the parent directory of a path and the path's last name.
 * @param make permissions with which missing directories are created
 * @throws errors of `holdDirectory` and `act`
 */
export async function inParent<T>(
	path: string,
	act: (parent: HeldDirectory, name: string) => Promise<T>,
	make?: number,
): Promise<T> {
	const parent = holdDirectory(dirname(path), make);
	try {
		return await act(parent, basename(path));
	} finally {
		parent.close();
	}
}

/**
 * Opens a regular file at an absolute path without following links.
 * @throws like `HeldDirectory.openFile`
 */
export function openRegular(path: string, flags: number = O_RDONLY): Promise<FileHandle> {
	return inParent(path, (parent, name) => parent.openFile(name, flags));
}

/**
 * Writes a regular file in place.
 * @throws like `HeldDirectory.openFile`
 */
export function writeRegular(path: string, data: string | Buffer, mode: number): Promise<void> {
	return inParent(path, (parent, name) => parent.write(name, data, mode));
}

/**
 * The first bytes of a regular file, up to a limit.
 * @throws like `HeldDirectory.openFile`
 */
export async function readRegular(path: string, mostBytes: number): Promise<Buffer> {
	const file = await openRegular(path);
	try {
		const { bytesRead, buffer } = await file.read(Buffer.alloc(mostBytes), 0, mostBytes, 0);
		return buffer.subarray(0, bytesRead);
	} finally {
		await file.close();
	}
}

/**
 * Removes the file or directory at a path, with everything in it. Does nothing if it does not exist.
 * @throws Error if the path contains a link
 */
export async function removeTree(path: string): Promise<void> {
	await inParent(path, (parent, name) => parent.remove(name)).catch(ignoring("ENOENT"));
}

/** @returns false for a directory */
async function unlinked(path: string): Promise<boolean> {
	try {
		await unlink(path);
		return true;
	} catch (error) {
		if (isCode(error, "ENOENT")) return true;
		// Linux reports this for a directory.
		if (isCode(error, "EISDIR")) return false;
		throw error;
	}
}

function ignoring(...codes: readonly string[]): (error: unknown) => void {
	return (error) => {
		if (!isCode(error, ...codes)) throw error;
	};
}
