/** Reads files of an image from its unpacked layers, as a container would see them. Links stay inside the image. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, readSync, type Stats } from "node:fs";
import { join } from "node:path";
import { isCode } from "../../linux/descriptors.ts";
import type { LayerFacts } from "../layers/layer-filter.ts";

/** An unpacked layer. */
export interface LayerFiles extends LayerFacts {
	/** Its files. */
	directory: string;
}

export interface OwnedDirectory {
	/** Relative to the root. */
	path: string;
	mode: number;
	uid: number;
	gid: number;
}

const mostLinks = 40;

interface Found {
	path: string;
	/** What the upper layers have there: one file or link, or the parts of a directory, highest first. */
	parts: { layer: LayerFiles; stats: Stats }[];
}

export class ImageFiles {
	/** Highest first. */
	readonly #layers: readonly LayerFiles[];

	/** @param layers lowest first */
	constructor(layers: readonly LayerFiles[]) {
		this.#layers = layers.toReversed();
	}

	/** Text of a regular file; undefined if there is none, or it is larger. */
	text(path: string, mostBytes: number): string | undefined {
		const [top] = this.#find(path)?.parts ?? [];
		if (top === undefined || !top.stats.isFile() || top.stats.size > mostBytes) return undefined;
		const at = join(top.layer.directory, this.#find(path)?.path ?? "");
		let fd: number;
		try {
			fd = openSync(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
		} catch {
			return undefined;
		}
		try {
			const bytes = Buffer.alloc(Math.min(fstatSync(fd).size, mostBytes));
			return bytes.toString("utf8", 0, readSync(fd, bytes, 0, bytes.length, 0));
		} finally {
			closeSync(fd);
		}
	}

	/** Whether there is something else than a directory. */
	isFile(path: string): boolean {
		const [top] = this.#find(path)?.parts ?? [];
		return top !== undefined && !top.stats.isDirectory();
	}

	/**
	 * Directories that show wrong modes or owners, because the uppermost layer that has something in them does not
	 * describe them.
	 */
	directoriesToRepair(): OwnedDirectory[] {
		const paths = new Set(this.#layers.flatMap(({ implied }) => implied));
		return [...paths].flatMap((path) => {
			const parts = this.#find(path)?.parts ?? [];
			if (parts[0] === undefined || !parts[0].stats.isDirectory() || !parts[0].layer.implied.includes(path)) return [];
			const described = parts.find(({ layer }) => !layer.implied.includes(path))?.stats;
			if (described === undefined) return [];
			const { mode, uid, gid } = described;
			return (mode & 0o7777) === 0o755 && uid === 0 && gid === 0 ? [] : [{ path, mode: mode & 0o7777, uid, gid }];
		});
	}

	#find(path: string): Found | undefined {
		let rest = partsOf(path);
		let found = this.#root();
		for (let links = 0; rest.length > 0; ) {
			const [name = "", ...after] = rest;
			rest = after;
			if (name === "..") {
				found = this.#find(found.path.slice(0, Math.max(0, found.path.lastIndexOf("/")))) ?? this.#root();
				continue;
			}
			const next = this.#inside(found, name);
			const [top] = next.parts;
			if (top === undefined) return undefined;
			if (top.stats.isSymbolicLink()) {
				if (++links > mostLinks) return undefined;
				const target = readlinkSync(join(top.layer.directory, next.path));
				if (target.startsWith("/")) found = this.#root();
				rest = [...partsOf(target), ...rest];
				continue;
			}
			if (rest.length > 0 && !top.stats.isDirectory()) return undefined;
			found = next;
		}
		return found;
	}

	#root(): Found {
		const parts: Found["parts"] = [];
		for (const layer of this.#layers) {
			parts.push({ layer, stats: lstatSync(layer.directory) });
			if (layer.opaque.includes("")) break;
		}
		return { path: "", parts };
	}

	/** An entry of a directory. */
	#inside(directory: Found, name: string): Found {
		const path = directory.path === "" ? name : `${directory.path}/${name}`;
		const parts: Found["parts"] = [];
		for (const { layer } of directory.parts) {
			const stats = statusOf(join(layer.directory, path));
			if (stats === undefined) continue;
			const isWhiteout = stats.isCharacterDevice();
			if (isWhiteout || (!stats.isDirectory() && parts.length > 0)) break;
			parts.push({ layer, stats });
			if (!stats.isDirectory() || layer.opaque.includes(path)) break;
		}
		return { path, parts };
	}
}

function partsOf(path: string): string[] {
	return path.split("/").filter((part) => part !== "" && part !== ".");
}

function statusOf(path: string): Stats | undefined {
	try {
		return lstatSync(path);
	} catch (error) {
		if (isCode(error, "ENOENT", "ENOTDIR", "EACCES")) return undefined;
		throw error;
	}
}
