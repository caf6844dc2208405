/** Builds images in memory, for tests. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { blocks } from "../layers/tar-reader.ts";
import { endOfArchive, tarHeader, type WrittenEntry } from "../layers/tar-writer.ts";
import { mediaTypes } from "../model/manifest.ts";

export interface BuiltBlob {
	mediaType: string;
	digest: string;
	size: number;
	body: Buffer;
}

export interface BuiltImage {
	manifest: BuiltBlob;
	config: BuiltBlob;
	layers: BuiltBlob[];
}

export interface BuildEntry extends Partial<WrittenEntry> {
	name: string;
	content?: string | Buffer;
}

/** A directory, a file, a link. */
export const dir = (name: string, mode = 0o755): BuildEntry => ({ name: `${name}/`, type: "5", mode });
export const file = (name: string, content: string | Buffer = "", mode = 0o644): BuildEntry => ({
	name,
	content,
	mode,
});
export const link = (name: string, target: string): BuildEntry => ({ name, type: "2", link: target, mode: 0o777 });

export function tarOf(entries: readonly BuildEntry[]): Buffer {
	const parts = entries.flatMap(({ content = "", ...entry }) => {
		const body = Buffer.from(content);
		const header = tarHeader({
			link: "",
			type: "0",
			mode: 0o644,
			uid: 0,
			gid: 0,
			mtime: 1e9,
			size: body.length,
			...entry,
		});
		return [header, body, Buffer.alloc(blocks(body.length) - body.length)];
	});
	return Buffer.concat([...parts, endOfArchive]);
}

export function digestOf(body: Buffer | string): string {
	return `sha256:${createHash("sha256").update(body).digest("hex")}`;
}

export function blobOf(mediaType: string, body: Buffer): BuiltBlob {
	return { mediaType, body, size: body.length, digest: digestOf(body) };
}

/**
 * @param layers archives, lowest first
 * @param config `Cmd`, `User`, …
 */
export function imageOf(
	layers: readonly Buffer[],
	config: Readonly<Record<string, unknown>> = {},
	pack: { type: string; compress: (layer: Buffer) => Buffer } = { type: "tar+gzip", compress: gzipSync },
): BuiltImage {
	const packed = layers.map((layer) => blobOf(`application/vnd.oci.image.layer.v1.${pack.type}`, pack.compress(layer)));
	const architecture = process.arch === "x64" ? "amd64" : process.arch;
	const configBlob = blobOf(
		mediaTypes.ociConfig,
		json({ architecture, os: "linux", config, rootfs: { type: "layers", diff_ids: layers.map(digestOf) } }),
	);
	return withManifest(configBlob, packed);
}

/** Also for manifests that say something wrong. */
export function withManifest(config: BuiltBlob, layers: BuiltBlob[]): BuiltImage {
	const descriptor = ({ mediaType, digest, size }: BuiltBlob) => ({ mediaType, digest, size });
	const body = json({
		schemaVersion: 2,
		mediaType: mediaTypes.ociManifest,
		config: descriptor(config),
		layers: layers.map(descriptor),
	});
	return { config, layers, manifest: blobOf(mediaTypes.ociManifest, body) };
}

export function json(value: unknown): Buffer {
	return Buffer.from(JSON.stringify(value));
}

const applets = "sh cat ls id sleep stat tar env touch echo mkdir pwd head wc test".split(" ");

/** A program of this machine, and the libraries that it loads, as entries of a layer. */
export function programWithLibraries(path: string, program: string): BuildEntry[] {
	// A static program has none.
	const { stdout } = spawnSync("ldd", [program], { encoding: "utf8" });
	const libraries = [...stdout.matchAll(/(?:=> |\t)(\/\S+) \(/g)].map((match) => match[1] ?? "");
	return [
		file(path, readFileSync(program), 0o755),
		...libraries.map((library) => file(library.slice(1), readFileSync(library), 0o755)),
	];
}

/** A layer with busybox at its usual paths, and a user `app`. */
export function busyboxLayer(more: readonly BuildEntry[] = []): Buffer {
	return tarOf([
		dir("bin"),
		...programWithLibraries("bin/busybox", "/bin/busybox"),
		...applets.map((name) => link(`bin/${name}`, "busybox")),
		dir("etc"),
		file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1234:4321:App:/home/app:/bin/sh\n"),
		file("etc/group", "root:x:0:\napp:x:4321:\nmore:x:55:app\n"),
		dir("tmp", 0o1777),
		...more,
	]);
}

/** An image with it. */
export function busyboxImage(
	config: Readonly<Record<string, unknown>> = {},
	more: readonly BuildEntry[] = [],
): BuiltImage {
	return imageOf([busyboxLayer(more)], { Cmd: ["sh"], Env: ["PATH=/bin", "FROM=image"], ...config });
}
