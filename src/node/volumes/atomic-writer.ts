/**
 * Writes the files of a volume so that readers see all of the old or all of the new: the files stand in a directory with a
 * timestamp in its name, `..data` is a symbolic link to it, and each visible name is a link through `..data`. A change makes
 * a new directory and moves the one link. The layout is upstream's; programs rely on it.
 */
import { chmod, lchown, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Payload, PayloadFile } from "./payload.ts";

const dataLink = "..data";

/**
 * @param directory exists
 * @param sequence makes the name of the new directory unique
 * @returns whether anything changed
 */
export async function writeAtomically(
	directory: string,
	payload: Payload,
	options: { mode: number; group?: number; sequence: string },
): Promise<boolean> {
	const current = await readlink(join(directory, dataLink)).catch(() => undefined);
	if (current !== undefined && (await isSame(join(directory, current), payload))) return false;
	const name = `..${options.sequence}`;
	const fresh = join(directory, name);
	await mkdir(fresh, { recursive: true, mode: 0o755 });
	await chmod(fresh, 0o755);
	for (const [path, file] of payload) await writeOne(fresh, path, file, options);
	await symlink(name, join(directory, `${dataLink}_tmp`));
	await rename(join(directory, `${dataLink}_tmp`), join(directory, dataLink));
	await linkVisible(directory, payload);
	if (current !== undefined && current !== name) await rm(join(directory, current), { recursive: true, force: true });
	return true;
}

async function writeOne(
	root: string,
	path: string,
	{ data, user, mode }: PayloadFile,
	{ group, mode: general }: { mode: number; group?: number },
): Promise<void> {
	const file = join(root, path);
	await mkdir(dirname(file), { recursive: true, mode: 0o755 });
	await writeFile(file, data, { mode: 0o600 });
	const given = (user === undefined && group === undefined) || (await give(file, user, group));
	// What its user does not own must be open to others.
	const bits = mode === undefined || (user !== undefined && !given) ? general : mode;
	// The process's umask takes bits away; and a group that may read is what fsGroup is for.
	await chmod(file, group === undefined ? bits : bits | 0o040);
}

/** False where files cannot be given away. */
async function give(file: string, user = -1, group = -1): Promise<boolean> {
	try {
		await lchown(file, user, group);
		return true;
	} catch (error) {
		notPermitted(error);
		return false;
	}
}

/** A link for every first part of a path; links to what is no more are taken away. */
async function linkVisible(directory: string, payload: Payload): Promise<void> {
	const wanted = new Set([...payload.keys()].map((path) => path.split("/")[0] ?? path));
	const present = new Set((await readdir(directory)).filter((name) => !name.startsWith("..")));
	for (const name of wanted) if (!present.has(name)) await symlink(join(dataLink, name), join(directory, name));
	for (const name of present) if (!wanted.has(name)) await rm(join(directory, name), { recursive: true, force: true });
}

async function isSame(directory: string, payload: Payload): Promise<boolean> {
	const files = (await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])).filter((entry) =>
		entry.isFile(),
	);
	if (files.length !== payload.size) return false;
	for (const [path, { data }] of payload) {
		const before = await readFile(join(directory, path)).catch(() => undefined);
		if (before === undefined || !before.equals(data)) return false;
	}
	return true;
}

/** Without the right to give files away (an ordinary user's node) they stay the user's, who is root in its containers. */
export function notPermitted(error: unknown): void {
	if (error instanceof Error && "code" in error && (error.code === "EPERM" || error.code === "EINVAL")) return;
	throw error;
}
