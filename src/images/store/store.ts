/**
 * A store of images on this machine: blobs as they were pulled, and layers, each unpacked once. Everything is named by
 * its digest and appears by a rename, complete: readers need no lock, and a process that is killed leaves nothing but
 * files in `tmp/`. Only its owner may read it.
 */
import { randomUUID } from "node:crypto";
import {
	existsSync,
	mkdirSync,
	readFileSync,
	renameSync,
	symlinkSync,
	unlinkSync,
	utimesSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../core/errors.ts";
import { isCode } from "../../linux/descriptors.ts";
import { namesIn, readIfThere } from "../../linux/if-there.ts";
import type { LayerFacts } from "../layers/layer-filter.ts";
import type { Descriptor, ImageConfig } from "../model/manifest.ts";
import type { LayerFiles, OwnedDirectory } from "./image-files.ts";
import { folders, hex, storedNameOf, storeFile } from "./layout.ts";

/** An image that can run: its layers are unpacked. */
export interface StoredImage {
	/** Of its manifest for this machine's platform. */
	digest: string;
	mediaType: string;
	config: ImageConfig;
	configDescriptor: Descriptor;
	/** Lowest first. */
	layers: readonly StoredLayer[];
	/** Everything that was pulled for it. */
	sizeBytes: number;
	/** /etc/passwd and /etc/group of the image; empty if it has none. */
	passwd: string;
	group: string;
	/** Directories whose modes and owners the upper layers do not tell. */
	directories: readonly OwnedDirectory[];
}

export interface StoredLayer extends Descriptor {
	diffId: string;
}

/** A name in the store, and what it stands for. */
export interface StoredName {
	/** `docker.io/library/nginx:1.27`, or with a digest. */
	name: string;
	/** Of the image's manifest. */
	image: string;
	/** `docker.io/library/nginx@sha256:…` with the digest that the registry has for the name; absent after an import. */
	repoDigest?: string;
	/** Epoch milliseconds of the pull or import. */
	atMs: number;
	/** Fingerprints of the pods' credentials with which it was pulled; absent: every pod may use it. */
	credentials?: readonly string[];
}

/** An image with its names. */
export interface ImageEntry {
	image: StoredImage;
	/** Of `StoredName`. */
	names: readonly string[];
	repoDigests: readonly string[];
	/** Epoch milliseconds of its latest pull or import. */
	atMs: number;
	/** As `StoredName.credentials`, of all these names together. */
	credentials?: readonly string[];
}

/** `layer.json` of a layer. */
export interface LayerRecord extends LayerFacts {
	/** The machine's boot in which it was unpacked. */
	boot: string;
}

/** Name of a file in a layer's directory: all of the layer has been written to the disk. */
export const onDisk = "on-disk";

const formatVersion = 1;

export class ImageStore {
	readonly directory: string;
	/** Owners of files are not kept. */
	readonly rootless: boolean;

	private constructor(directory: string, rootless: boolean) {
		this.directory = directory;
		this.rootless = rootless;
	}

	/**
	 * Opens a store, which is created if there is none.
	 * @throws Error if it cannot be used by this user
	 */
	static open(directory: string): ImageStore {
		const rootless = isRootless();
		mkdirSync(directory, { recursive: true, mode: 0o700 });
		for (const folder of folders) mkdirSync(join(directory, folder), { recursive: true, mode: 0o700 });
		const file = storeFile.format(directory);
		const format = readJson<{ version: number; rootless: boolean }>(file);
		if (format === undefined) writeComplete(file, `${JSON.stringify({ version: formatVersion, rootless })}\n`);
		else if (format.version !== formatVersion)
			throw new Error(`${directory} was made by another version of coxswain: remove it, and pull the images again`);
		else if (format.rootless !== rootless)
			throw new Error(
				`the images in ${directory} were unpacked ${format.rootless ? "without" : "as"} root: use another --image-store`,
			);
		return new ImageStore(directory, rootless);
	}

	/** By a name as users write it, or a digest of the image (`sha256:…`). */
	find(image: string): ImageEntry | undefined {
		if (/^sha256:[0-9a-f]{64}$/.test(image)) return this.#entry(image, this.names());
		const name = storedNameOf(image);
		const stored = name === undefined ? undefined : this.named(name);
		return stored === undefined ? undefined : this.#entry(stored.image, [stored]);
	}

	/** All images, by digest. */
	list(): ImageEntry[] {
		const names = this.names();
		return namesIn(join(this.directory, "images"))
			.filter((file) => file.endsWith(".json"))
			.flatMap((file) => this.#entry(`sha256:${file.slice(0, -".json".length)}`, names) ?? []);
	}

	/** @param name of `StoredName` */
	named(name: string): StoredName | undefined {
		return readJson<StoredName>(storeFile.name(this.directory, name));
	}

	names(): StoredName[] {
		return namesIn(join(this.directory, "names")).flatMap(
			(file) => readJson<StoredName>(join(this.directory, "names", file)) ?? [],
		);
	}

	/** Undefined if the layer is not unpacked, or may have been damaged by a crash of the machine. */
	layer(diffId: string): LayerFiles | undefined {
		const path = storeFile.layer(this.directory, diffId);
		const facts = readJson<LayerRecord>(join(path, "layer.json"));
		if (facts === undefined || (facts.boot !== bootId() && !existsSync(join(path, onDisk)))) return undefined;
		return { directory: join(path, "files"), ...facts };
	}

	/** Says that a container uses the image, as long as `proof` exists. Idempotent. */
	use(image: string, id: string, proof: string, nowMs: number): void {
		// Images that were not used for long are removed first.
		utimesSync(storeFile.image(this.directory, image), nowMs / 1000, nowMs / 1000);
		try {
			symlinkSync(proof, this.#usePath(image, id));
		} catch (error) {
			if (!isCode(error, "EEXIST")) throw error;
		}
	}

	/** Takes that back: the image was used until now. */
	unuse(image: string, id: string, nowMs: number): void {
		try {
			unlinkSync(this.#usePath(image, id));
			utimesSync(storeFile.image(this.directory, image), nowMs / 1000, nowMs / 1000);
		} catch (error) {
			if (!isCode(error, "ENOENT")) throw error;
		}
	}

	#usePath(image: string, id: string): string {
		return join(this.directory, "uses", `${hex(image)}.${id}`);
	}

	#entry(digest: string, names: readonly StoredName[]): ImageEntry | undefined {
		const image = readJson<StoredImage>(storeFile.image(this.directory, digest));
		if (image === undefined || !image.layers.every(({ diffId }) => this.layer(diffId) !== undefined)) return undefined;
		const own = names.filter((name) => name.image === digest);
		const isForSome = own.length > 0 && own.every(({ credentials }) => credentials !== undefined);
		return {
			image,
			names: own.map(({ name }) => name).sort(),
			repoDigests: [...new Set(own.flatMap(({ repoDigest }) => repoDigest ?? []))].sort(),
			atMs: Math.max(0, ...own.map(({ atMs }) => atMs)),
			...(isForSome ? { credentials: [...new Set(own.flatMap(({ credentials = [] }) => credentials))] } : {}),
		};
	}
}

let boot: string | undefined;

/** Tells one run of the machine from others. */
export function bootId(): string {
	boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
	return boot;
}

/** Whether this process is not the machine's root. */
export function isRootless(): boolean {
	return process.getuid?.() !== 0 || !/^\s*0\s+0\s+4294967295/.test(readFileSync("/proc/self/uid_map", "utf8"));
}

/** Processes that open a store at the same time write the same. */
function writeComplete(path: string, text: string): void {
	const draft = `${path}.${randomUUID()}`;
	writeFileSync(draft, text, { mode: 0o600, flush: true });
	renameSync(draft, path);
}

/** Written by this module alone, complete: what cannot be read is not there. */
function readJson<T>(path: string): T | undefined {
	const text = readIfThere(path);
	if (text === undefined) return undefined;
	try {
		return JSON.parse(text) as T;
	} catch (error) {
		throw new Error(`${path} is damaged: ${messageOf(error)}`);
	}
}
