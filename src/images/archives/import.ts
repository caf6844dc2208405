/** Adds images from files to a store: archives of `docker save`, OCI archives, and directories with an OCI layout. */
import { createHash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { compressionOf } from "../layers/decompress.ts";
import { ImageFailure } from "../model/failure.ts";
import {
	forPlatform,
	type ImageConfig,
	mediaTypes,
	type ParsedManifest,
	type Platform,
	parseConfig,
	parseManifest,
} from "../model/manifest.ts";
import { fullReference } from "../model/reference.ts";
import { storedName } from "../store/layout.ts";
import type { ImageEntry, StoredLayer } from "../store/store.ts";
import type { StoreWriter } from "../store/store-writer.ts";
import { type ArchiveFiles, directoryFiles, smallFile, unpackArchive } from "./unpacked-archive.ts";

export interface ImportOptions {
	writer: StoreWriter;
	platform: Platform;
	nowMs: number;
	/** Replaces the names in the file, which must have one image then. */
	name?: string;
}

/** An image in the files. */
interface Found {
	manifest: { digest: string; mediaType: string; body: Buffer };
	configBody: Buffer;
	config: ImageConfig;
	configDescriptor: { mediaType: string; digest: string; size: number };
	layers: (StoredLayer & { path: string })[];
	names: string[];
}

/**
 * @param path a file or a directory
 * @throws ImageFailure
 */
export async function importImages(path: string, options: ImportOptions): Promise<ImageEntry[]> {
	const { writer } = options;
	if (statSync(path).isDirectory()) return importFiles(directoryFiles(path), path, options);
	const draft = writer.temporary();
	try {
		return await importFiles(await unpackArchive(path, draft), path, options);
	} finally {
		await writer.remove([draft]);
	}
}

async function importFiles(files: ArchiveFiles, path: string, options: ImportOptions): Promise<ImageEntry[]> {
	const found = (await dockerImages(files)) ?? ociImages(files, options.platform);
	if (found === undefined)
		throw new ImageFailure(
			"invalid",
			`${path} has neither an index.json nor a manifest.json: it is no archive of images`,
		);
	if (options.name !== undefined && found.length !== 1)
		throw new ImageFailure("invalid", `${path} has ${found.length} images: only one can get a name`);
	const entries: ImageEntry[] = [];
	for (const image of found) entries.push(await add(image, options));
	return entries;
}

async function add(found: Found, { writer, nowMs, name }: ImportOptions): Promise<ImageEntry> {
	const { manifest, config, configBody, configDescriptor, layers } = found;
	const names = (name === undefined ? found.names : [name]).map((text) => {
		const reference = fullReference(text);
		if (reference === undefined) throw new ImageFailure("invalid", `${JSON.stringify(text)} is no name of an image`);
		return storedName(reference);
	});
	for (const { path, ...layer } of layers) {
		const source = () => createReadStream(path, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>;
		await writer.addLayer(layer, source, new AbortController().signal);
	}
	writer.addBlob(configDescriptor.digest, configBody);
	writer.addBlob(manifest.digest, manifest.body);
	const stored = layers.map(({ path: _path, ...layer }) => layer);
	const sizeBytes = layers.reduce((sum, { size }) => sum + size, manifest.body.length + configBody.length);
	const { digest, mediaType } = manifest;
	const image = await writer.addImage({ digest, mediaType, config, configDescriptor, layers: stored, sizeBytes });
	if (image === undefined) throw new ImageFailure("failed", "its layers were removed while they were imported");
	for (const one of names) writer.name({ name: one, image: digest, atMs: nowMs });
	return { image, names, repoDigests: [], atMs: nowMs };
}

/** Undefined if it is no archive of `docker save`, or one that has an OCI layout as well. */
async function dockerImages(files: ArchiveFiles): Promise<Found[] | undefined> {
	const body = smallFile(files, "manifest.json");
	if (body === undefined) return undefined;
	// Its form is checked below.
	const list = JSON.parse(body.toString("utf8")) as { Config?: unknown; RepoTags?: unknown; Layers?: unknown }[];
	if (!Array.isArray(list)) throw new ImageFailure("invalid", "manifest.json is not a list");
	const found: Found[] = [];
	for (const { Config: configName, RepoTags: tags, Layers: layerNames } of list) {
		const configBody = smallFile(files, String(configName));
		if (configBody === undefined || !Array.isArray(layerNames))
			throw new ImageFailure("invalid", `manifest.json names ${configName}, which is missing`);
		const config = parseConfig(configBody);
		const layers = await Promise.all(
			layerNames.map((name, at) => dockerLayer(files, String(name), config.diffIds[at] ?? "")),
		);
		const configDescriptor = { mediaType: mediaTypes.ociConfig, digest: digestOf(configBody), size: configBody.length };
		const names = Array.isArray(tags) ? tags.map(String) : [];
		found.push({ configBody, config, configDescriptor, layers, names, manifest: manifestOf(configDescriptor, layers) });
	}
	return found;
}

async function dockerLayer(files: ArchiveFiles, name: string, diffId: string): Promise<Found["layers"][number]> {
	const path = files.path(name);
	if (path === undefined) throw new ImageFailure("invalid", `manifest.json names ${name}, which is missing`);
	const hash = createHash("sha256");
	const source = createReadStream(path, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>;
	let type: string | undefined;
	for await (const chunk of source) {
		type ??= compressionOf(chunk) === "none" ? "tar" : `tar+${compressionOf(chunk)}`;
		hash.update(chunk);
	}
	const mediaType = `application/vnd.oci.image.layer.v1.${type ?? "tar"}`;
	return { path, diffId, mediaType, digest: `sha256:${hash.digest("hex")}`, size: statSync(path).size };
}

/** The same for the same image. */
function manifestOf(config: Found["configDescriptor"], layers: Found["layers"]): Found["manifest"] {
	const descriptors = layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size }));
	const body = Buffer.from(
		JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: descriptors }),
	);
	return { body, mediaType: mediaTypes.ociManifest, digest: digestOf(body) };
}

function ociImages(files: ArchiveFiles, platform: Platform): Found[] | undefined {
	const index = smallFile(files, "index.json");
	if (index === undefined) return undefined;
	const parsed = parseManifest(index, mediaTypes.ociIndex);
	if (parsed.type !== "index") throw new ImageFailure("invalid", "index.json is not an index");
	return parsed.manifests.map(({ digest, name }) => {
		const { body, manifest } = ociManifest(files, digest, platform);
		const configBody = blob(files, manifest.config.digest);
		const config = parseConfig(configBody);
		if (config.diffIds.length !== manifest.layers.length)
			throw new ImageFailure("invalid", "the image's configuration has another number of layers");
		const layers = manifest.layers.map((layer, at) => {
			const path = files.path(blobName(layer.digest));
			if (path === undefined) throw new ImageFailure("invalid", `${layer.digest} is missing`);
			return { ...layer, path, diffId: config.diffIds[at] ?? "" };
		});
		// A tag alone says nothing without its repository.
		const names = name !== undefined && /[/:]/.test(name) ? [name] : [];
		return { manifest: body, configBody, config, configDescriptor: manifest.config, layers, names };
	});
}

function ociManifest(
	files: ArchiveFiles,
	digest: string,
	platform: Platform,
): { body: Found["manifest"]; manifest: Extract<ParsedManifest, { type: "image" }> } {
	const body = blob(files, digest);
	const manifest = parseManifest(body, "");
	if (manifest.type === "index") return ociManifest(files, forPlatform(manifest.manifests, platform).digest, platform);
	return { body: { body, digest, mediaType: mediaTypes.ociManifest }, manifest };
}

function blob(files: ArchiveFiles, digest: string): Buffer {
	const body = smallFile(files, blobName(digest));
	if (body === undefined) throw new ImageFailure("invalid", `${digest} is missing`);
	if (digestOf(body) !== digest) throw new ImageFailure("invalid", `${digest} is damaged`);
	return body;
}

function blobName(digest: string): string {
	return `blobs/${digest.replace(":", "/")}`;
}

function digestOf(body: Buffer): string {
	return `sha256:${createHash("sha256").update(body).digest("hex")}`;
}
