/**
 * Files at absolute paths that pods may change at any moment, for reading, writing and removing. A path is walked
 * directory by directory, each opened in the one before, and a symbolic link on the way is refused; what is then done
 * through the open directory happens in this very directory, even when its path has changed. `beneath.ts` follows
 * links, but never out of a directory. (Node has neither openat nor openat2; `/proc/self/fd/N/NAME` names the same.)
 */
import { closeSync, constants, fstatSync, mkdirSync, openSync } from "node:fs";
import { type FileHandle, open, opendir, rename, rmdir, unlink } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { descriptorPath, isCode, O_PATH } from "./descriptors.ts";

const { O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_TRUNC, O_WRONLY } = constants;
/** Such a directory is only for going on from it. */
const heldDirectory = O_PATH | O_DIRECTORY | O_NOFOLLOW;
/** A link is not followed, and a pipe without a writer not waited for. */
const careful = O_NOFOLLOW | O_NONBLOCK;

/** Directories held open at a time while a tree is removed. */
const deepestHeld = 50;
const mostRounds = 100_000;

/** A directory that is held open until `close`. */
export class HeldDirectory {
	/** A path of the directory while it is held, for any function that takes one. */
	readonly path: string;
	readonly #descriptor: number;

	private constructor(descriptor: number) {
		this.#descriptor = descriptor;
		this.path = descriptorPath(descriptor);
	}

	/** @throws Error ENOENT; ENOTDIR for a link, too */
	static open(path: string): HeldDirectory {
		return new HeldDirectory(openSync(path, heldDirectory));
	}

	/** The same directory for other processes, while it is held. */
	get outsidePath(): string {
		return `/proc/${process.pid}/fd/${this.#descriptor}`;
	}

	/** The path of an entry. What it names may be a link. @throws Error for what is no name of an entry */
	at(name: string): string {
		if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0"))
			throw new Error(`${JSON.stringify(name)} is no name of a file`);
		return `${this.path}/${name}`;
	}

	/**
	 * A directory in this one.
	 * @param make permissions to make it with when it is missing
	 * @throws Error ENOENT; ENOTDIR for a link, too
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
	 * Opens, or makes where the flags say so, a regular file.
	 * @returns its descriptor
	 * @throws Error ENOENT; ELOOP for a link; NotRegular
	 */
	openFileSync(name: string, flags: number, mode?: number): number {
		const descriptor = openSync(this.at(name), flags | careful, mode);
		if (fstatSync(descriptor).isFile()) return descriptor;
		closeSync(descriptor);
		throw new NotRegular(name);
	}

	/** As `openFileSync`. */
	async openFile(name: string, flags: number, mode?: number): Promise<FileHandle> {
		const file = await open(this.at(name), flags | careful, mode);
		if ((await file.stat()).isFile()) return file;
		await file.close();
		throw new NotRegular(name);
	}

	/** Writes a regular file in place; its permissions are as given, whatever the umask. @throws as `openFile` */
	async write(name: string, data: string | Buffer, mode: number): Promise<void> {
		const file = await this.openFile(name, O_WRONLY | O_CREAT | O_TRUNC, mode);
		try {
			await file.writeFile(data);
			await file.chmod(mode);
		} finally {
			await file.close();
		}
	}

	/** Removes a file, or a directory with all that is in it. Nothing to do when there is none. */
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
	 * Removes what is in this directory. What lies deep is moved up to be removed in the next round: descriptors are few,
	 * and no path gets too long.
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

/** Something is there, and it is no regular file. */
export class NotRegular extends Error {
	readonly code = "NotRegular";

	constructor(name: string) {
		super(`${name} is no regular file`);
	}
}

/**
 * Holds the directory at an absolute path without following links.
 * @param make permissions of directories to be made where they are missing
 * @throws Error ENOENT; ENOTDIR for a link, too
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
 * Does something with the directory in which the path's last name stands.
 * @param make permissions of directories to be made where they are missing
 * @throws what `holdDirectory` and `act` throw
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

/** Opens a regular file at an absolute path without following links. @throws as `HeldDirectory.openFile` */
export function openRegular(path: string, flags: number = O_RDONLY): Promise<FileHandle> {
	return inParent(path, (parent, name) => parent.openFile(name, flags));
}

/** Writes a regular file in place. @throws as `HeldDirectory.openFile` */
export function writeRegular(path: string, data: string | Buffer, mode: number): Promise<void> {
	return inParent(path, (parent, name) => parent.write(name, data, mode));
}

/** The first bytes of a regular file, at most so many. @throws as `HeldDirectory.openFile` */
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
 * Removes what the path names, with all that is in it. Nothing to do when there is none.
 * @throws Error for a link on the way
 */
export async function removeTree(path: string): Promise<void> {
	await inParent(path, (parent, name) => parent.remove(name)).catch(ignoring("ENOENT"));
}

/** False for a directory. */
async function unlinked(path: string): Promise<boolean> {
	try {
		await unlink(path);
		return true;
	} catch (error) {
		if (isCode(error, "ENOENT")) return true;
		// Linux' word for a directory.
		if (isCode(error, "EISDIR")) return false;
		throw error;
	}
}

function ignoring(...codes: readonly string[]): (error: unknown) => void {
	return (error) => {
		if (!isCode(error, ...codes)) throw error;
	};
}
