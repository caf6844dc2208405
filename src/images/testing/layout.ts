/** Writes a built image as a directory with an OCI layout, for tests. */
import { mkdirSync, writeFileSync } from "node:fs";
import { type BuiltImage, json } from "./image-builder.ts";

export function writeLayout({ manifest, config, layers }: BuiltImage, directory: string): void {
	mkdirSync(`${directory}/blobs/sha256`, { recursive: true });
	for (const { digest, body } of [manifest, config, ...layers])
		writeFileSync(`${directory}/blobs/${digest.replace(":", "/")}`, body);
	const { digest, size, mediaType } = manifest;
	writeFileSync(`${directory}/index.json`, json({ manifests: [{ digest, size, mediaType }] }));
}
