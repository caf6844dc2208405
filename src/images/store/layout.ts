/** The files of a store. Blobs are where an OCI image layout has them. Pure. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type FullReference, fullReference, referenceText } from "../model/reference.ts";

export const folders = ["blobs/sha256", "images", "layers", "locks", "names", "tmp", "uses"];

export const storeFile = {
	format: (store: string) => join(store, "format.json"),
	blob: (store: string, digest: string) => join(store, "blobs/sha256", hex(digest)),
	/** @param digest of the image's manifest */
	image: (store: string, digest: string) => join(store, "images", `${hex(digest)}.json`),
	/** Holds `files` and `layer.json`. */
	layer: (store: string, diffId: string) => join(store, "layers", hex(diffId)),
	/** Empty. Layers share 256 of them, so that none has to be deleted. */
	lock: (store: string, diffId: string) => join(store, "locks", hex(diffId).slice(0, 2)),
	/** Named by a digest, because references may be longer than file names. */
	name: (store: string, name: string) =>
		join(store, "names", `${createHash("sha256").update(name).digest("hex")}.json`),
};

/** @throws Error unless it is a digest of SHA-256: nothing else becomes part of a path */
export function hex(digest: string): string {
	const match = /^sha256:([0-9a-f]{64})$/.exec(digest);
	if (match?.[1] === undefined) throw new Error(`${JSON.stringify(digest)} is not a digest of SHA-256`);
	return match[1];
}

/** The name that a store knows an image by: a digest says more than a tag. */
export function storedName(reference: FullReference): string {
	if (reference.digest === undefined) return referenceText(reference);
	const { registry, repository, digest } = reference;
	return referenceText({ registry, repository, digest });
}

/** The name in a store of what users write; undefined if it is no name. */
export function storedNameOf(image: string): string | undefined {
	const reference = fullReference(image);
	return reference === undefined ? undefined : storedName(reference);
}
