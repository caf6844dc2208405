/**
 * Places for mount points before a container's file system is mounted: they are created in the upper layers, with
 * copies of the machine's directories that lead there. Mount points in volumes and in directories of the container's
 * own are created later by the launcher.
 */
import { lstatSync, readlinkSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { isWithin, layerName, overlayOf, type RootView } from "../../../linux/rootview.ts";
import type { Step } from "./plan.ts";

const mostLinks = 40;

export interface ViewPlace {
	view: RootView;
	/** The view's own directory. */
	target: string;
	/** Contains the layers. */
	scratch: string;
	/** Paths of the container over which something else is mounted. */
	covered: readonly string[];
}

/** The path with the machine's links resolved; those below a covered path are not examined. */
export function followOnMachine(path: string, covered: readonly string[]): string {
	let rest = partsOf(path);
	let done = "";
	for (let links = 0; rest.length > 0; ) {
		const [part = "", ...after] = rest;
		rest = after;
		if (part === "..") {
			done = dirname(done || "/").replace(/^\/$/, "");
			continue;
		}
		const next = `${done}/${part}`;
		const target = isCovered(next, covered) ? undefined : readLink(next);
		if (target === undefined) {
			done = next;
			continue;
		}
		if (++links > mostLinks) throw new Error(`too many symbolic links in mount path ${path}`);
		if (target.startsWith("/")) done = "";
		rest = [...partsOf(target), ...rest];
	}
	return done || "/";
}

/** Steps that create a missing path, as a directory or an empty file; none if it exists or is covered. */
export function placeSteps(place: ViewPlace, path: string, isFile: boolean): Step[] {
	const resolved = followOnMachine(path, place.covered);
	if (isCovered(resolved, place.covered) || exists(resolved)) return [];
	if (!isFile) return directorySteps(place, resolved);
	return [...directorySteps(place, dirname(resolved)), ["file", layerPath(place, resolved), ""]];
}

/** Steps that create a file with this content, which is the container's own. */
export function fileSteps(place: ViewPlace, path: string, content: string): Step[] {
	const resolved = followOnMachine(path, place.covered);
	if (isCovered(resolved, place.covered)) return [];
	return [...directorySteps(place, dirname(resolved)), ["file", layerPath(place, resolved), content]];
}

/** Steps that create a directory in its layer, and those above it, with the machine's modes and owners. */
export function directorySteps(place: ViewPlace, directory: string): Step[] {
	const overlay = overlayOf(place.view, directory);
	if (directory === overlay || directory === "/") return [];
	const { mode, uid, gid } = attributesOf(directory);
	return [...directorySteps(place, dirname(directory)), ["directory", layerPath(place, directory), mode, uid, gid]];
}

function layerPath({ view, target, scratch }: ViewPlace, path: string): string {
	const overlay = overlayOf(view, path);
	if (overlay === undefined) return target + path;
	return `${scratch}/upper/${layerName(overlay)}${overlay === "/" ? path : path.slice(overlay.length)}`;
}

function attributesOf(directory: string): { mode: number; uid: number; gid: number } {
	try {
		const { mode, uid, gid } = statSync(directory);
		return { mode: mode & 0o7777, uid, gid };
	} catch {
		return { mode: 0o755, uid: 0, gid: 0 };
	}
}

function isCovered(path: string, covered: readonly string[]): boolean {
	return covered.some((cover) => isWithin(path, cover));
}

function partsOf(path: string): string[] {
	return path.split("/").filter((part) => part !== "" && part !== ".");
}

function exists(path: string): boolean {
	try {
		lstatSync(path);
		return true;
	} catch {
		return false;
	}
}

function readLink(path: string): string | undefined {
	try {
		return readlinkSync(path);
	} catch {
		// It does not exist, or is not a link.
		return undefined;
	}
}
