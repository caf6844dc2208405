/**
 * The data directories of all clusters on this machine, running or not: containers see the machine's files, but must
 * not see these. Each user has a register, a private folder with a symbolic link for each cluster: creating one is
 * atomic, so that clusters that start at the same time need no lock, and a dangling one is harmless.
 */

import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readlinkSync, rmdirSync, rmSync, symlinkSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { isCode } from "../../linux/descriptors.ts";
import { namesIn } from "../../linux/if-there.ts";
import { isWithin } from "../../linux/rootview.ts";
import { clusterDirectories } from "../../network/machine/marked-processes.ts";
import { homeDirectory } from "../files/account.ts";
import { layoutOf } from "../files/layout.ts";
import { ensurePrivateFolder } from "../files/private-folder.ts";
import { readSettings } from "../settings/settings.ts";
import { refuseForeignFolder } from "./data-entries.ts";

/** Every container has its own of these, regardless of when it was started. */
const alwaysEmpty = ["/tmp", "/run"];
const homes = ["/root", "/home"];
/** Each is examined, and covered by a mount, at the start of each container. */
const mostEntries = 256;
/** Entries whose directory does not exist are kept: it may be on a disk that is not mounted. */
const mostLinks = 10_000;
const mostUsers = 100;

/**
 * The location of this user's register: it survives reboots, no other user may write to it, and nodes have none of
 * their own files in or below it, because a node without root cannot write to a directory of the machine's root.
 * Undefined for a user without a home directory.
 */
function ownRegister(): string | undefined {
	if (process.getuid?.() === 0) return "/var/lib/coxswain-clusters";
	const home = homeDirectory();
	return home && userRegister(home);
}

function userRegister(home: string): string {
	return join(home, ".local/state/coxswain/clusters");
}

/** The registers that containers of this user's clusters must hide: root's containers see the files of all users. */
export function registersToRead(): string[] {
	const own = ownRegister();
	const first = own === undefined ? [] : [own];
	if (process.getuid?.() !== 0) return first;
	return [
		...first,
		...namesIn("/home")
			.slice(0, mostUsers)
			.map((name) => userRegister(`/home/${name}`)),
	];
}

/** Data directories in this user's own register; some may not exist. */
export function ownRegisteredData(register = ownRegister()): string[] {
	if (register === undefined) return [];
	return namesIn(register)
		.map((name) => targetOf(join(register, name)))
		.filter(isAbsolute);
}

export interface RegisterOptions {
	register?: string;
	/** Data directories of this user's running clusters. */
	running?: readonly string[];
}

/**
 * Registers a data directory, before anything secret is in it. A container hides what is known when it starts, and
 * cannot hide more later.
 * @throws Error if running containers could see it
 */
export function registerData(data: string, options: RegisterOptions = {}): void {
	if (alwaysEmpty.some((place) => isWithin(data, place))) return;
	const { register = ownRegister() } = options;
	if (register === undefined)
		throw new Error(`this user has no home directory to enter ${data} in: name a --data directory below /tmp or /run`);
	const entry = join(register, nameOf(data));
	// A directory that was deleted manually counts as a new one: containers may have been started since.
	if (targetOf(entry) === data && existsSync(layoutOf(data).settings)) return;
	const onlooker = (options.running ?? clusterDirectories(process.getuid?.())).find(
		(other) => other !== data && sees(other, data),
	);
	if (onlooker !== undefined)
		throw new Error(
			`containers of the cluster in ${onlooker} run and would see ${data}: name a --data directory below /home, /root or /tmp, or run 'cox down --data ${onlooker}' and start this cluster first`,
		);
	const others = namesIn(register).map((name) => targetOf(join(register, name)));
	if (others.length >= mostEntries && others.filter((path) => existsSync(path)).length >= mostEntries)
		throw new Error(
			`there are ${mostEntries} data directories already, and containers cannot hide more: 'cox reset --data DIR' those in ${register} that you do not need`,
		);
	mkdirSync(register, { recursive: true, mode: 0o700 });
	try {
		symlinkSync(data, entry);
	} catch (error) {
		if (!isCode(error, "EEXIST")) throw error;
	}
}

/**
 * Creates the data directory if necessary, and registers it before anything is in it.
 * @returns a function that undoes this if the directory was created here and is empty
 * @throws Error like `registerData`, or if the directory cannot be protected from other users
 */
export function enterData(data: string, options: RegisterOptions = {}): () => void {
	const isNew = !existsSync(data);
	// Before its permissions are changed.
	refuseForeignFolder(data);
	makeFolder(data);
	const undo = () => {
		if (!isNew || namesIn(data).length > 0) return;
		rmdirSync(data);
		forgetData(data, options.register);
	};
	try {
		registerData(data, options);
	} catch (error) {
		undo();
		throw error;
	}
	return undo;
}

function makeFolder(data: string): void {
	try {
		ensurePrivateFolder(data);
	} catch (error) {
		if (!isCode(error, "EACCES", "EROFS", "ENOTDIR")) throw error;
		throw new Error(`the directory ${data} cannot be created; specify another one with --data or COX_DATA`);
	}
}

/** Unregisters a data directory after it was emptied. */
export function forgetData(data: string, register = ownRegister()): void {
	if (register !== undefined) rmSync(join(register, nameOf(data)), { force: true });
}

/**
 * What containers must not see: the registers, and all data directories in them. In another user's register, only
 * directories of that user count: no user can hide files of others from containers.
 */
export function registeredData(registers: readonly string[]): string[] {
	return registers.flatMap((register) => {
		const owner = ownerOf(register);
		if (owner === undefined) return [];
		const own = owner === process.getuid?.();
		const directories = namesIn(register)
			.slice(0, mostLinks)
			.map((name) => targetOf(join(register, name)))
			.filter((path) => isAbsolute(path) && path !== "/" && (own || ownerOf(path) === owner));
		return [register, ...existingFirst(directories).slice(0, mostEntries)];
	});
}

/** Whether containers of a running cluster that was started before the registration can see the directory. */
function sees(cluster: string, data: string): boolean {
	if (isWithin(data, cluster)) return false;
	const hidden = showsHome(cluster) ? alwaysEmpty : [...alwaysEmpty, ...homes];
	return !hidden.some((place) => isWithin(data, place));
}

function showsHome(cluster: string): boolean {
	try {
		return readSettings(layoutOf(cluster).settings)?.showHome === true;
	} catch {
		// Unknown.
		return true;
	}
}

/** Existing ones first, because the number is limited. */
function existingFirst(directories: readonly string[]): readonly string[] {
	if (directories.length <= mostEntries) return directories;
	const exists = directories.map((path) => existsSync(path));
	return [true, false].flatMap((wanted) => directories.filter((_, index) => exists[index] === wanted));
}

function nameOf(data: string): string {
	return createHash("sha256").update(data).digest("hex").slice(0, 32);
}

function targetOf(link: string): string {
	try {
		return readlinkSync(link);
	} catch {
		return "";
	}
}

function ownerOf(path: string): number | undefined {
	try {
		const stats = lstatSync(path);
		return stats.isDirectory() ? stats.uid : undefined;
	} catch {
		return undefined;
	}
}
