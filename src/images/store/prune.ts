/** Removes images from a store, and what no image needs any more. */
import { existsSync, lstatSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { isCode } from "../../linux/descriptors.ts";
import { namesIn } from "../../linux/if-there.ts";
import { storedNameOf, storeFile } from "./layout.ts";
import type { ImageEntry, ImageStore } from "./store.ts";
import type { StoreWriter } from "./store-writer.ts";

export interface Removal {
	/** Digests of the removed images. */
	images: string[];
	/** Names that were removed. */
	names: string[];
	/** Of blobs, in bytes; unpacked files take about three times as much. */
	bytes: number;
}

export interface PruneOptions {
	nowMs: number;
	/** What is younger stays: pulls of other processes may be adding it. */
	leastAgeMs: number;
	/** Only images that were not used for so long; default: `leastAgeMs`. */
	unusedMs?: number;
	/** Whether to stop before the next image. Default: never. */
	enough?(): boolean;
}

/** Digests of images that containers use. */
export function usedImages(store: ImageStore): Set<string> {
	const folder = join(store.directory, "uses");
	return new Set(
		namesIn(folder)
			// The link's target is the container's directory.
			.filter((name) => exists(join(folder, name)))
			.map((name) => `sha256:${name.split(".")[0]}`),
	);
}

/**
 * Removes a name, or an image with all its names. An image without names is removed, unless containers use it.
 * @throws Error if there is none, or containers use it
 */
export async function removeImage(writer: StoreWriter, image: string, options: PruneOptions): Promise<Removal> {
	const { store } = writer;
	const entry = store.find(image);
	if (entry === undefined) throw new Error(`there is no image ${image}`);
	const all = store.list().find((other) => other.image.digest === entry.image.digest) ?? entry;
	const isDigest = image === entry.image.digest;
	const name = storedNameOf(image) ?? "";
	// A name with the registry's digest goes with the last other one.
	const others = all.names.filter((other) => other !== name && !other.includes("@"));
	const names = isDigest || others.length === 0 ? all.names : [name];
	const goes = names.length === all.names.length;
	if (goes && usedImages(store).has(entry.image.digest)) throw new Error(`${image} is in use by a container`);
	await writer.discard(names.map((one) => storeFile.name(store.directory, one)));
	if (!goes) return { images: [], names: [...names], bytes: 0 };
	return removeAll(writer, [all], options);
}

/** Removes images that no container uses, the ones that were not used for the longest time first. */
export async function prune(writer: StoreWriter, options: PruneOptions): Promise<Removal> {
	const { nowMs, leastAgeMs, unusedMs = leastAgeMs, enough } = options;
	const { store } = writer;
	const used = usedImages(store);
	const unused = store
		.list()
		.filter(({ image }) => !used.has(image.digest))
		.map((entry) => ({ entry, usedMs: lastUse(store, entry) }))
		.filter(({ usedMs }) => nowMs - usedMs >= unusedMs)
		.sort((a, b) => a.usedMs - b.usedMs);
	let total = nothing;
	for (const { entry } of unused) {
		if (enough?.()) break;
		total = sum(total, await removeAll(writer, [entry], options));
	}
	return total;
}

/** When images are deleted that no container uses. */
export interface CollectionRules {
	/** In percent: if the disk is fuller than `high`, until it is not fuller than `low`. */
	high: number;
	low: number;
	/** Younger ones stay. */
	leastAgeMs: number;
	/** Ones that were not used for longer go, however full the disk is; 0: never. */
	mostAgeMs: number;
}

/** Whether there may be something to delete; cheap. */
export function isCollectionDue(store: string, { high, mostAgeMs }: CollectionRules): boolean {
	return existsSync(join(store, "images")) && (mostAgeMs > 0 || diskUsage(store) > high);
}

/** Deletes unused images by the rules, the ones that were not used for the longest time first. */
export async function collectImages(writer: StoreWriter, nowMs: number, rules: CollectionRules): Promise<Removal> {
	const { high, low, leastAgeMs, mostAgeMs } = rules;
	const { directory } = writer.store;
	const old = mostAgeMs > 0 ? await prune(writer, { nowMs, leastAgeMs, unusedMs: mostAgeMs }) : nothing;
	if (diskUsage(directory) <= high) return old;
	return sum(old, await prune(writer, { nowMs, leastAgeMs, enough: () => diskUsage(directory) <= low }));
}

const nothing: Removal = { images: [], names: [], bytes: 0 };

function sum(one: Removal, other: Removal): Removal {
	return {
		images: [...one.images, ...other.images],
		names: [...one.names, ...other.names],
		bytes: one.bytes + other.bytes,
	};
}

/** Of the file system, in percent. */
function diskUsage(directory: string): number {
	const { blocks, bavail, bfree } = statfsSync(directory);
	const used = blocks - bfree;
	return (100 * used) / Math.max(1, used + bavail);
}

async function removeAll(writer: StoreWriter, entries: readonly ImageEntry[], options: PruneOptions): Promise<Removal> {
	const { store } = writer;
	const names = entries.flatMap((entry) => entry.names);
	const images = entries.map(({ image }) => image.digest);
	const paths = [
		...names.map((name) => storeFile.name(store.directory, name)),
		...images.map((digest) => storeFile.image(store.directory, digest)),
	];
	await writer.discard(paths);
	return { images, names: [...names], bytes: await removeGarbage(writer, options) };
}

/**
 * Removes blobs and layers that no image needs.
 * @returns bytes of blobs
 */
export async function removeGarbage(writer: StoreWriter, { nowMs, leastAgeMs }: PruneOptions): Promise<number> {
	const { store } = writer;
	const blobs = new Set<string>();
	const layers = new Set<string>();
	for (const { image, repoDigests } of store.list()) {
		for (const { digest, diffId } of image.layers) {
			blobs.add(digest);
			layers.add(diffId);
		}
		const indexes = repoDigests.map((name) => name.slice(name.indexOf("@") + 1));
		for (const digest of [image.digest, image.configDescriptor.digest, ...indexes]) blobs.add(digest);
	}
	const unneeded = (folder: string, needed: ReadonlySet<string>) =>
		namesIn(join(store.directory, folder))
			.filter((name) => !needed.has(`sha256:${name}`))
			.map((name) => join(store.directory, folder, name))
			.filter((path) => isOlder(path, nowMs - leastAgeMs));
	const blobPaths = unneeded("blobs/sha256", blobs);
	const bytes = blobPaths.reduce((sum, path) => sum + (lstatSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
	await writer.discard([...blobPaths, ...unneeded("layers", layers)]);
	return bytes;
}

function isOlder(path: string, thanMs: number): boolean {
	const stats = lstatSync(path, { throwIfNoEntry: false });
	return stats !== undefined && stats.ctimeMs <= thanMs;
}

function lastUse(store: ImageStore, { image, atMs }: ImageEntry): number {
	try {
		return Math.max(atMs, statSync(storeFile.image(store.directory, image.digest)).mtimeMs);
	} catch (error) {
		if (isCode(error, "ENOENT")) return atMs;
		throw error;
	}
}

function exists(path: string): boolean {
	return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
