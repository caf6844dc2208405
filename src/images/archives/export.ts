/** Writes images of a store to a file that `docker load`, `podman load`, `ctr images import` and `skopeo` read. */
import { once } from "node:events";
import { createReadStream, createWriteStream, statSync } from "node:fs";
import type { Writable } from "node:stream";
import { blocks } from "../layers/tar-reader.ts";
import { endOfArchive, tarHeader } from "../layers/tar-writer.ts";
import { ImageFailure } from "../model/failure.ts";
import { mediaTypes } from "../model/manifest.ts";
import { storeFile } from "../store/layout.ts";
import type { ImageEntry, ImageStore } from "../store/store.ts";

/**
 * An OCI archive that has Docker's manifest as well.
 * @param file is replaced
 */
export async function exportImages(store: ImageStore, entries: readonly ImageEntry[], file: string): Promise<void> {
	const output = createWriteStream(file, { mode: 0o600 });
	await once(output, "open");
	try {
		const blobs = new Set<string>();
		for (const { image } of entries)
			for (const { digest } of [image, image.configDescriptor, ...image.layers]) blobs.add(digest);
		await addFile(output, "oci-layout", json({ imageLayoutVersion: "1.0.0" }));
		await addFile(
			output,
			"index.json",
			json({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: entries.flatMap(manifests(store)) }),
		);
		await addFile(output, "manifest.json", json(entries.map(dockerManifest)));
		for (const digest of blobs) await addBlob(output, store, digest);
		output.end(endOfArchive);
		await once(output, "finish");
	} catch (error) {
		output.destroy();
		throw error;
	}
}

function manifests(store: ImageStore): (entry: ImageEntry) => object[] {
	return ({ image, names }) => {
		const { digest, mediaType, config } = image;
		const size = statSync(storeFile.blob(store.directory, digest)).size;
		const descriptor = { mediaType: mediaType || mediaTypes.ociManifest, digest, size, platform: config.platform };
		const tags = tagsOf(names);
		if (tags.length === 0) return [descriptor];
		return tags.map((name) => ({
			...descriptor,
			annotations: { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": name },
		}));
	};
}

function dockerManifest({ image, names }: ImageEntry): object {
	const path = (digest: string) => `blobs/${digest.replace(":", "/")}`;
	const layers = image.layers.map(({ digest }) => path(digest));
	return { Config: path(image.configDescriptor.digest), RepoTags: tagsOf(names), Layers: layers };
}

function tagsOf(names: readonly string[]): string[] {
	return names.filter((name) => !name.includes("@"));
}

async function addBlob(output: Writable, store: ImageStore, digest: string): Promise<void> {
	const path = storeFile.blob(store.directory, digest);
	const size = statSync(path, { throwIfNoEntry: false })?.size;
	if (size === undefined) throw new ImageFailure("failed", `${digest} is missing in the store: pull the image again`);
	await write(output, header(`blobs/${digest.replace(":", "/")}`, size));
	for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) await write(output, chunk as Buffer);
	await write(output, Buffer.alloc(blocks(size) - size));
}

async function addFile(output: Writable, name: string, body: Buffer): Promise<void> {
	await write(
		output,
		Buffer.concat([header(name, body.length), body, Buffer.alloc(blocks(body.length) - body.length)]),
	);
}

function header(name: string, size: number): Buffer {
	return tarHeader({ name, link: "", type: "0", mode: 0o644, uid: 0, gid: 0, mtime: 0, size });
}

async function write(output: Writable, chunk: Buffer): Promise<void> {
	if (!output.write(chunk)) await once(output, "drain");
}

function json(value: unknown): Buffer {
	return Buffer.from(JSON.stringify(value));
}
