/** The files and directories of a view of the machine's root (see rootview.ts), created before it is mounted. */
import {
	accessSync,
	chmodSync,
	chownSync,
	constants,
	mkdirSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { isCode } from "./descriptors.ts";
import {
	type DirectoryEntry,
	layerName,
	type MountEntry,
	overlayOf,
	parseMountinfo,
	type RootView,
} from "./rootview.ts";

/** Directories that a user without permissions for the machine's own must be able to write to. */
export const writableDirectories = [
	"/etc",
	"/home",
	"/mnt",
	"/opt",
	"/srv",
	"/usr/local/bin",
	"/var/cache",
	"/var/lib",
	"/var/log",
	"/var/spool",
	"/var/tmp",
];

/** Directories over which every view mounts something of its own. */
const special = ["/proc", "/sys", "/dev", "/run", "/tmp"];

/** The mounts that this process sees. */
export function readMounts(): MountEntry[] {
	return parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8"));
}

/** The layer directories that a view needs below `scratch`. */
export function layerDirectories(view: RootView, scratch: string): string[] {
	return view.overlays.flatMap((path) => [`${scratch}/upper/${layerName(path)}`, `${scratch}/work/${layerName(path)}`]);
}

/** Creates what `viewFstab` requires, unless it exists. */
export function makeView(view: RootView, options: { target: string; scratch: string }): void {
	const { target, scratch } = options;
	for (const directory of [target, ...layerDirectories(view, scratch)]) mkdirSync(directory, { recursive: true });
	if (!view.assembled) return;
	for (const directory of [...view.directories, ...special]) mkdirSync(target + directory, { recursive: true });
	for (const link of view.symlinks) makeLink(link.target, target + link.path);
	for (const bind of view.binds) if (!bind.directory) writeFileSync(target + bind.path, "", { flag: "a" });
	for (const directory of writableDirectories) makeInView(view, options, directory);
}

/**
 * Creates a directory of the view before it is mounted: in the upper layer, with the modes and owners of the machine's
 * directories, or in the view's own directory. Returns its path outside of the view.
 */
function makeInView(view: RootView, options: { target: string; scratch: string }, directory: string): string {
	const overlay = overlayOf(view, directory);
	if (overlay === undefined) {
		mkdirSync(options.target + directory, { recursive: true });
		return options.target + directory;
	}
	return copyDirectory(directory, `${options.scratch}/upper/${layerName(overlay)}`, overlay);
}

/** The entries of a directory; empty if it cannot be read. */
export function listDirectory(directory: string): DirectoryEntry[] {
	try {
		return readdirSync(directory, { withFileTypes: true }).map((entry): DirectoryEntry => {
			const path = directory === "/" ? `/${entry.name}` : `${directory}/${entry.name}`;
			if (entry.isSymbolicLink()) return { name: entry.name, type: "symlink", target: readlinkSync(path) };
			if (!entry.isDirectory()) return { name: entry.name, type: "other" };
			return { name: entry.name, type: "directory", readable: isReadable(path) };
		});
	} catch {
		return [];
	}
}

function copyDirectory(directory: string, upper: string, overlay: string): string {
	if (directory === overlay || directory === "/") return upper;
	copyDirectory(dirname(directory), upper, overlay);
	const path = upper + (overlay === "/" ? directory : directory.slice(overlay.length));
	if (mkdirSync(path, { recursive: true }) === undefined) return path;
	try {
		const original = statSync(directory);
		chmodSync(path, original.mode & 0o7777);
		chownSync(path, original.uid, original.gid);
	} catch {
		// It does not exist on the machine, or its owner has no ID in this namespace: the directory belongs to this user.
	}
	return path;
}

function isReadable(directory: string): boolean {
	try {
		accessSync(directory, constants.R_OK | constants.X_OK);
		return true;
	} catch {
		return false;
	}
}

function makeLink(target: string, path: string): void {
	try {
		symlinkSync(target, path);
	} catch (error) {
		// Created by an earlier start.
		if (!isCode(error, "EEXIST")) throw error;
	}
}
