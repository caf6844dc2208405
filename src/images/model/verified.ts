/** Checks content by its digest while it streams. */
import { createHash } from "node:crypto";
import { ImageFailure } from "./failure.ts";
import type { Descriptor } from "./manifest.ts";

/** The same chunks. Rejects at the end, or as soon as there are too many. */
export async function* verified(
	source: AsyncIterable<Buffer>,
	{ digest, size }: Pick<Descriptor, "digest" | "size">,
): AsyncGenerator<Buffer> {
	const hash = createHash("sha256");
	let bytes = 0;
	for await (const chunk of source) {
		bytes += chunk.length;
		if (bytes > size) throw wrong(`it is longer than the ${size} bytes that the image says`);
		hash.update(chunk);
		yield chunk;
	}
	if (bytes < size) throw wrong(`it has ${bytes} of the ${size} bytes that the image says`);
	const found = `sha256:${hash.digest("hex")}`;
	if (found !== digest) throw wrong(`it has ${found}, not ${digest}`);
}

/** All of a stream that is known to be small. */
export async function wholeOf(source: AsyncIterable<Buffer>): Promise<Buffer> {
	const chunks: Buffer[] = [];
	for await (const chunk of source) chunks.push(chunk);
	return Buffer.concat(chunks);
}

function wrong(what: string): ImageFailure {
	return new ImageFailure("invalid", `a part of the image is not what its digest says: ${what}`);
}
