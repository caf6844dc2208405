/**
 * Which data directories clusters have on this machine, running or not: containers see the machine's files, and none
 * may see those. Each user has a register, a private folder with a symbolic link a cluster: to make one is atomic, so
 * that clusters that start at the same time need no lock, and one that leads nowhere is harmless.
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

/** Every container has its own of these, whenever it was started. */
const alwaysEmpty = ["/tmp", "/run"];
const homes = ["/root", "/home"];
/** Each is looked at, and covered by a mount, at the start of each container. */
const mostEntries = 256;
/** Those whose directory is gone stay: it may be on a disk that is not mounted now. */
const mostLinks = 10_000;
const mostUsers = 100;

/**
 * Where this user's register is: in a place that outlives restarts of the machine, that nobody else may write to, and
 * that nodes have nothing of their own in or below: in nodes without root, a directory of the machine's root cannot be
 * added to. Undefined for a user without a home.
 */
function ownRegister(): string | undefined {
	if (process.getuid?.() === 0) return "/var/lib/coxswain-clusters";
	const home = homeDirectory();
	return home && userRegister(home);
}

function userRegister(home: string): string {
	return join(home, ".local/state/coxswain/clusters");
}

/** The registers that containers of this user's clusters go by: root's see the files of all users. */
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

export interface RegisterOptions {
	register?: string;
	/** Data directories of this user's clusters that run now. */
	running?: readonly string[];
}

/**
 * Enters a data directory, before anything secret is in it. A container hides what is known when it starts, and cannot
 * be made to hide more later.
 * @throws Error when containers that run already could see it
 */
export function registerData(data: string, options: RegisterOptions = {}): void {
	if (alwaysEmpty.some((place) => isWithin(data, place))) return;
	const { register = ownRegister() } = options;
	if (register === undefined)
		throw new Error(`this user has no home directory to enter ${data} in: name a --data directory below /tmp or /run`);
	const entry = join(register, nameOf(data));
	// One that was deleted by hand is a new one: containers may have been started since.
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
 * The data directory, made where it is missing and entered before anything is in it.
 * @returns what takes it away again if it was made here and nothing is in it
 * @throws Error as `registerData`, or when the directory cannot be kept from other users
 */
export function enterData(data: string, options: RegisterOptions = {}): () => void {
	const isNew = !existsSync(data);
	// Before its rights are changed.
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

/** Takes a data directory out again, once nothing is left in it. */
export function forgetData(data: string, register = ownRegister()): void {
	if (register !== undefined) rmSync(join(register, nameOf(data)), { force: true });
}

/**
 * What containers must not see: the registers, and all data directories in them. Of another user's register only what
 * is that user's own counts: nobody can hide files of others from our containers.
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

/** Whether containers of a cluster that runs, and was started before it was known, see the directory. */
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

/** What is there matters, should there be more than can be hidden. */
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
