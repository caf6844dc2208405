/**
 * Writes the files of a volume atomically: readers see either all old or all new files. The files are in a directory
 * with a timestamp in its name, `..data` is a symbolic link to it, and each visible name is a link through `..data`. A
 * change creates a new directory and replaces the one link. The layout is upstream's; programs rely on it.
 */
import { constants } from "node:fs";
import { chmod, type FileHandle, readdir, readlink, rename, symlink } from "node:fs/promises";
import { isCode } from "../../linux/descriptors.ts";
import { type HeldDirectory, holdDirectory } from "../../linux/no-links.ts";
import type { Payload, PayloadFile } from "./payload.ts";

const dataLink = "..data";

/**
 * @param path of the directory, which is created if missing
 * @param options.sequence makes the name of the new directory unique
 * @returns whether anything changed
 * @throws Error if a link has replaced a directory
 */
export async function writeAtomically(
	path: string,
	payload: Payload,
	options: { mode: number; group?: number; sequence: string },
): Promise<boolean> {
	const directory = holdDirectory(path, 0o755);
	try {
		return await writeInto(directory, payload, options);
	} finally {
		directory.close();
	}
}

async function writeInto(
	directory: HeldDirectory,
	payload: Payload,
	options: { mode: number; group?: number; sequence: string },
): Promise<boolean> {
	const current = await readlink(directory.at(dataLink)).catch(() => undefined);
	if (current !== undefined && (await isSame(directory, current, payload))) return false;
	const name = `..${options.sequence}`;
	const fresh = directory.enter(name, 0o755);
	try {
		await chmod(fresh.path, 0o755);
		for (const [path, file] of payload) await writeOne(fresh, path.split("/"), file, options);
	} finally {
		fresh.close();
	}
	await symlink(name, directory.at(`${dataLink}_tmp`));
	await rename(directory.at(`${dataLink}_tmp`), directory.at(dataLink));
	await linkVisible(directory, payload);
	if (current !== undefined && current !== name && !current.includes("/")) await directory.remove(current);
	return true;
}

async function writeOne(
	directory: HeldDirectory,
	[name = "", ...rest]: readonly string[],
	file: PayloadFile,
	options: { mode: number; group?: number },
): Promise<void> {
	if (rest.length > 0) {
		const child = directory.enter(name, 0o755);
		try {
			return await writeOne(child, rest, file, options);
		} finally {
			child.close();
		}
	}
	const { data, user, mode } = file;
	const { group, mode: general } = options;
	const opened = await directory.openFile(name, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
	try {
		await opened.writeFile(data);
		const given = (user === undefined && group === undefined) || (await give(opened, user, group));
		// A file that its user does not own must be readable by others.
		const bits = mode === undefined || (user !== undefined && !given) ? general : mode;
		// The process's umask removes bits; and fsGroup is meant to make files readable by the group.
		await opened.chmod(group === undefined ? bits : bits | 0o040);
	} finally {
		await opened.close();
	}
}

/** @returns false if files cannot be given to other users */
async function give(file: FileHandle, user = -1, group = -1): Promise<boolean> {
	try {
		await file.chown(user, group);
		return true;
	} catch (error) {
		notPermitted(error);
		return false;
	}
}

/** Creates a link for every first path segment, and removes dangling links. */
async function linkVisible(directory: HeldDirectory, payload: Payload): Promise<void> {
	const wanted = new Set([...payload.keys()].map((path) => path.split("/")[0] ?? path));
	const present = new Set((await readdir(directory.path)).filter((name) => !name.startsWith("..")));
	for (const name of wanted) if (!present.has(name)) await symlink(`${dataLink}/${name}`, directory.at(name));
	for (const name of present) if (!wanted.has(name)) await directory.remove(name);
}

/** @param current the target of the link: the agent's own directory, or a replacement by a pod with access to it */
async function isSame(directory: HeldDirectory, current: string, payload: Payload): Promise<boolean> {
	let data: HeldDirectory;
	try {
		data = directory.enter(current);
	} catch {
		return false;
	}
	try {
		const entries = await readdir(data.path, { recursive: true, withFileTypes: true });
		if (entries.filter((entry) => entry.isFile()).length !== payload.size) return false;
		for (const [path, { data: wanted }] of payload) if (!(await holds(data, path.split("/"), wanted))) return false;
		return true;
	} finally {
		data.close();
	}
}

async function holds(
	directory: HeldDirectory,
	[name = "", ...rest]: readonly string[],
	wanted: Buffer,
): Promise<boolean> {
	try {
		if (rest.length > 0) {
			const child = directory.enter(name);
			return await holds(child, rest, wanted).finally(() => child.close());
		}
		const file = await directory.openFile(name, constants.O_RDONLY);
		return await file
			.readFile()
			.then((found) => found.equals(wanted))
			.finally(() => file.close());
	} catch {
		return false;
	}
}

/**
 * Without the permission to change owners (a node of an ordinary user), files remain the user's, who is root in its
 * containers.
 */
export function notPermitted(error: unknown): void {
	if (isCode(error, "EPERM", "EINVAL")) return;
	throw error;
}
