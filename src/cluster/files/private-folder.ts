/** Folders that only their owner may use, regardless of the umask and of their previous permissions. */
import { chmodSync, lstatSync, readdirSync, type Stats, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeFolder } from "../../linux/make-folder.ts";
import type { Layout } from "./layout.ts";

/**
 * Restricts the data directory and everything secret in it to this user.
 * @throws Error like `ensurePrivateFolder`
 */
export function protectData({ data, sockets, pki, store }: Layout): void {
	for (const folder of [data, sockets]) ensurePrivateFolder(folder);
	for (const folder of [pki, store]) {
		ensurePrivateFolder(folder);
		ensurePrivateFiles(folder);
	}
	for (const entry of readdirSync(data, { withFileTypes: true }))
		if (entry.isFile()) ensurePrivateFile(join(data, entry.name));
}

const othersBits = 0o077;
const worldWritableBit = 0o002;
const stickyBit = 0o1000;

/**
 * Creates the folder, or removes all permissions of others if it exists.
 * @throws Error that says why it cannot be protected: it belongs to another user, or is in a place where anyone can
 * replace it
 */
export function ensurePrivateFolder(folder: string): void {
	makeFolder(folder, 0o700);
	const stats = lstatSync(folder);
	if (!stats.isDirectory()) throw new Error(`${folder} is not a directory; move it out of the way`);
	checkOwner(folder, stats);
	checkParents(folder);
	if ((stats.mode & 0o777) !== 0o700) chmodSync(folder, 0o700);
}

/**
 * Removes all permissions of others from the files in a folder and below it; links are ignored.
 * @throws Error if one belongs to another user
 */
function ensurePrivateFiles(folder: string): void {
	for (const entry of readdirSync(folder, { withFileTypes: true })) {
		const path = join(folder, entry.name);
		if (entry.isDirectory()) {
			ensurePrivateFolder(path);
			ensurePrivateFiles(path);
		} else if (entry.isFile()) ensurePrivateFile(path);
	}
}

/**
 * Removes all permissions of others from a file.
 * @throws Error if it belongs to another user
 */
function ensurePrivateFile(file: string): void {
	const stats = lstatSync(file);
	checkOwner(file, stats);
	if (stats.isFile() && (stats.mode & othersBits) !== 0) chmodSync(file, stats.mode & 0o700);
}

function checkOwner(path: string, stats: Stats): void {
	// Not every user has an account.
	const uid = process.getuid?.() ?? stats.uid;
	if (stats.uid !== uid)
		throw new Error(
			`${path} belongs to user ${stats.uid}, and this is user ${uid}: run cox as its owner, give it to yourself with chown, or name another --data directory`,
		);
}

/** If anyone may rename other users' files, a folder's mode protects nothing. */
function checkParents(folder: string): void {
	for (let path = dirname(folder); ; path = dirname(path)) {
		const { mode } = statSync(path);
		if ((mode & worldWritableBit) !== 0 && (mode & stickyBit) === 0)
			throw new Error(
				`${path} may be written by everyone, who could replace ${folder}: run 'chmod o-w ${path}', or name another --data directory`,
			);
		if (path === dirname(path)) return;
	}
}
