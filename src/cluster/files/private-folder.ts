/** Folders that only their owner may use, whatever the umask, and whatever they were before. */
import { chmodSync, lstatSync, mkdirSync, readdirSync, type Stats, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Layout } from "./layout.ts";

/**
 * The data directory and everything secret in it belong to this user alone from now on.
 * @throws Error as `ensurePrivateFolder`
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
 * Makes the folder, or takes all rights of others from it when it exists.
 * @throws Error that says why it cannot be kept from others: it is another user's, or in a place where anyone can
 * replace it
 */
export function ensurePrivateFolder(folder: string): void {
	mkdirSync(folder, { recursive: true, mode: 0o700 });
	const stats = lstatSync(folder);
	if (!stats.isDirectory()) throw new Error(`${folder} is not a directory; move it out of the way`);
	checkOwner(folder, stats);
	checkParents(folder);
	if ((stats.mode & 0o777) !== 0o700) chmodSync(folder, 0o700);
}

/**
 * Takes all rights of others from the files in a folder and below it; links are left alone.
 * @throws Error when one is another user's
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

/** Takes all rights of others from a file of ours. @throws Error when it is another user's */
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

/** Where anyone may rename what others own, a folder's mode protects nothing. */
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
