/**
 * Turns the tar stream of a layer into one that GNU tar can write into an empty directory for overlayfs: whiteouts and
 * opaque directories in overlayfs' own form, without device nodes, and without anything that leads out of the directory
 * or would mean something to overlayfs. Every header is written anew, so that tar reads what was checked here.
 */
import { ImageFailure } from "../model/failure.ts";
import { type TarEntry, TarReader, type TarSink } from "./tar-reader.ts";
import { endOfArchive, tarHeader } from "./tar-writer.ts";

export interface LayerFilterOptions {
	/** Receives the rewritten stream. */
	emit: (chunk: Buffer) => void;
	/** Extended attributes of overlayfs: `trusted` as root, `user` in user namespaces. */
	namespace: "trusted" | "user";
}

/** What a layer's directory alone does not tell a reader without access to extended attributes. */
export interface LayerFacts {
	/** Directories that hide those of lower layers; relative paths. */
	opaque: string[];
	/** Directories that the layer has no entry for: their modes and owners are those of lower layers. */
	implied: string[];
}

const mostEntries = 2_000_000;
const longestPath = 4096;
/** Each level costs a directory, for every entry that is the only one there. */
const mostDepth = 256;
/** Of all paths that have to be remembered; the largest real layers have a tenth. */
const mostPathBytes = 512 << 20;
const whiteout = ".wh.";
const opaqueMark = ".wh..wh..opq";
/** Files of aufs, which images made with it may contain. */
const otherMarks = ".wh..wh.";
const largestId = 0xffff_fffe;

type Directory = Pick<TarEntry, "mode" | "uid" | "gid" | "mtime">;

export class LayerFilter {
	readonly #emit: (chunk: Buffer) => void;
	readonly #opaqueName: string;
	readonly #reader = new TarReader((entry) => this.#take(entry));
	readonly #directories = new Map<string, Directory>();
	/** Directories on the way to entries. */
	readonly #parents = new Set<string>();
	readonly #others = new Set<string>();
	readonly #whiteouts = new Set<string>();
	readonly #opaque = new Set<string>();
	#entries = 0;
	#pathBytes = 0;

	constructor({ emit, namespace }: LayerFilterOptions) {
		this.#emit = emit;
		this.#opaqueName = `${namespace}.overlay.opaque`;
	}

	/** @throws ImageFailure */
	push(chunk: Buffer): void {
		this.#reader.push(chunk);
	}

	/**
	 * Writes what hides lower layers, and the end of the archive.
	 * @throws ImageFailure if the archive is cut off
	 */
	end(): LayerFacts {
		if (!this.#reader.isComplete) throw new ImageFailure("invalid", "the layer is cut off");
		for (const path of this.#whiteouts) {
			// Some builders remove something and add it again in one layer.
			if (this.#directories.has(path) || this.#parents.has(path)) this.#opaque.add(path);
			else if (!this.#others.has(path)) this.#emit(tarHeader({ ...empty, name: path, type: "3" }));
		}
		for (const path of this.#opaque) {
			const directory = this.#directories.get(path) ?? { mode: 0o755, uid: 0, gid: 0, mtime: 0 };
			const xattrs = new Map([[this.#opaqueName, Buffer.from("y")]]);
			if (path !== "") this.#emit(tarHeader({ ...empty, ...directory, name: `${path}/`, type: "5", xattrs }));
		}
		this.#emit(endOfArchive);
		const implied = [...this.#parents].filter((path) => path !== "" && !this.#directories.has(path));
		return { opaque: [...this.#opaque], implied };
	}

	#take(entry: TarEntry): TarSink | undefined {
		this.#count();
		// The name of a sparse file in its newer form is in its own record.
		const given = entry.sparse.find(([key]) => key === "GNU.sparse.name")?.[1] ?? entry.name;
		const path = pathInside(given, "path");
		const parent = parentOf(path);
		const base = parent === "" ? path : path.slice(parent.length + 1);
		if (base.startsWith(whiteout)) {
			this.#hide(parent, base);
			return undefined;
		}
		if (!"01257S6".includes(entry.type)) return skipped(entry);
		const isDirectory = entry.type === "5" || (entry.type === "0" && given.endsWith("/"));
		if (path === "" && !isDirectory) throw new ImageFailure("refused", "the layer replaces its own root");
		this.#note(path, parent, isDirectory ? entry : undefined);
		const written = {
			...entry,
			name: isDirectory ? `${path === "" ? "." : path}/` : path,
			type: isDirectory ? "5" : entry.type === "7" ? "0" : entry.type,
			link: linkOf(entry, path),
			size: isDirectory ? 0 : entry.size,
			uid: idOf(entry.uid, path),
			gid: idOf(entry.gid, path),
			mtime: Number.isFinite(entry.mtime) ? entry.mtime : 0,
			xattrs: safeXattrs(entry, path),
			sparse: sparseRecords(entry, path),
		};
		this.#emit(tarHeader(written));
		return entry.size > 0 && !isDirectory ? this.#emit : undefined;
	}

	#note(path: string, parent: string, directory: Directory | undefined): void {
		this.#remember(path);
		this.#holds(parent);
		if (directory === undefined) {
			this.#others.add(path);
			this.#directories.delete(path);
			return;
		}
		const { mode, uid, gid, mtime } = directory;
		this.#directories.set(path, { mode, uid, gid, mtime });
		this.#others.delete(path);
	}

	/** Something is in this directory. */
	#holds(directory: string): void {
		for (let above = directory; above !== "" && !this.#parents.has(above); above = parentOf(above)) {
			this.#count();
			this.#remember(above);
			this.#parents.add(above);
		}
	}

	#count(): void {
		if (++this.#entries > mostEntries) throw new ImageFailure("refused", `the layer has over ${mostEntries} entries`);
	}

	#remember(path: string): void {
		this.#pathBytes += path.length;
		if (this.#pathBytes > mostPathBytes) throw new ImageFailure("refused", "the paths in the layer are too long");
	}

	#hide(parent: string, base: string): void {
		if (base.startsWith(otherMarks) && base !== opaqueMark) return;
		this.#holds(parent);
		if (base === opaqueMark) {
			this.#opaque.add(parent);
			return;
		}
		const name = base.slice(whiteout.length);
		if (["", ".", ".."].includes(name)) throw new ImageFailure("refused", "the layer hides a path that is none");
		const path = parent === "" ? name : `${parent}/${name}`;
		this.#remember(path);
		this.#whiteouts.add(path);
	}
}

const empty: Omit<TarEntry, "xattrs" | "sparse"> = {
	name: "",
	link: "",
	type: "0",
	mode: 0,
	uid: 0,
	gid: 0,
	mtime: 0,
	size: 0,
};

/**
 * Devices are left out: containers have those that they need, and could not open others. Incremental dumps' lists, too.
 */
function skipped({ type, name }: TarEntry): undefined {
	if ("34DMVN".includes(type)) return undefined;
	throw new ImageFailure(
		"invalid",
		`the layer has an entry of the unknown type ${JSON.stringify(type)}: ${shown(name)}`,
	);
}

/** A path relative to the layer, without empty parts. */
function pathInside(path: string, what: string): string {
	const parts = path.split("/").filter((part) => part !== "" && part !== ".");
	if (parts.includes("..") || path.includes("\0") || path.length > longestPath)
		throw new ImageFailure("refused", `the layer has a ${what} that leads out of it: ${shown(path)}`);
	if (parts.length > mostDepth)
		throw new ImageFailure("refused", `the layer has a ${what} with over ${mostDepth} parts: ${shown(path)}`);
	return parts.join("/");
}

/** `a/b` of `a/b/c`; empty at the top. */
function parentOf(path: string): string {
	return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function linkOf({ type, link }: TarEntry, path: string): string {
	if (type === "1") return pathInside(link, "hard link");
	if (type !== "2") return "";
	if (link === "" || link.includes("\0") || link.length > longestPath)
		throw new ImageFailure("invalid", `the layer has a link without a target: ${shown(path)}`);
	// Containers follow it, and only inside their own root.
	return link;
}

function idOf(id: number, path: string): number {
	if (Number.isInteger(id) && id >= 0 && id <= largestId) return id;
	throw new ImageFailure("invalid", `the layer has an owner that is none: ${shown(path)}`);
}

/**
 * Those that belong to files. Labels of security modules and access lists belong to the machine where they were made.
 */
function safeXattrs({ xattrs }: TarEntry, path: string): ReadonlyMap<string, Buffer> {
	if (xattrs.size === 0) return xattrs;
	for (const name of xattrs.keys())
		if (/^(trusted|user)\.overlay\./.test(name))
			throw new ImageFailure("refused", `the layer has an attribute of overlayfs, ${name}: ${shown(path)}`);
	return new Map([...xattrs].filter(([name]) => name === "security.capability" || name.startsWith("user.")));
}

/** With the checked name; the oldest form, which repeats keys, is not in use. */
function sparseRecords({ sparse }: TarEntry, path: string): readonly (readonly [string, string])[] {
	if (sparse.some(([key]) => key === "GNU.sparse.offset"))
		throw new ImageFailure("invalid", `the layer has a sparse file in an outdated format: ${shown(path)}`);
	return sparse.map(([key, value]) => [key, key === "GNU.sparse.name" ? path : value] as const);
}

function shown(path: string): string {
	return JSON.stringify(path.length > 100 ? `${path.slice(0, 100)}…` : path);
}
