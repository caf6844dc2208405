/** Decompression of layers. */
import type { Transform } from "node:stream";
import * as zlib from "node:zlib";
import { Decompress as JsDecompress } from "fzstd";
import { asError } from "../../core/errors.ts";

/** Larger ones than zlib's default are three times as fast. */
const chunkBytes = 256 * 1024;

export type Compression = "gzip" | "zstd" | "none";

/** By the first bytes: media types say it as well, and are wrong now and then. */
export function compressionOf(start: Buffer): Compression {
	if (start[0] === 0x1f && start[1] === 0x8b) return "gzip";
	return start.length >= 4 && start.readUInt32LE(0) === 0xfd2fb528 ? "zstd" : "none";
}

/** The decompressed chunks. */
export async function* decompressed(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
	const chunks = source[Symbol.asyncIterator]();
	const first = await chunks.next();
	if (first.done === true) return;
	const all = (async function* () {
		yield first.value;
		for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
	})();
	const compression = compressionOf(first.value);
	if (compression === "none") yield* all;
	else if (compression === "gzip") yield* through(all, zlib.createGunzip({ chunkSize: chunkBytes }));
	else if (nativeZstd !== undefined) yield* through(all, nativeZstd({ chunkSize: chunkBytes }));
	else yield* inJavaScript(all);
}

/** Of Node 22.15 and later; the types are Node 20's. */
const nativeZstd = (zlib as { createZstdDecompress?: (options: { chunkSize: number }) => Transform })
	.createZstdDecompress;

async function* through(source: AsyncIterable<Buffer>, transform: Transform): AsyncGenerator<Buffer> {
	const feeding = feed(source, transform).catch((error: unknown) => transform.destroy(asError(error)));
	try {
		// A transform without an encoding yields buffers.
		for await (const chunk of transform) yield chunk as Buffer;
	} finally {
		transform.destroy();
		await feeding;
	}
}

async function feed(source: AsyncIterable<Buffer>, transform: Transform): Promise<void> {
	for await (const chunk of source) {
		if (transform.destroyed) return;
		if (!transform.write(chunk))
			await new Promise<void>((resolve) => {
				const go = () => {
					transform.off("drain", go).off("close", go);
					resolve();
				};
				transform.once("drain", go).once("close", go);
			});
	}
	transform.end();
}

async function* inJavaScript(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
	let ready: Buffer[] = [];
	const decoder = new JsDecompress((chunk) =>
		ready.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)),
	);
	for await (const chunk of source) {
		decoder.push(chunk);
		const now = ready;
		ready = [];
		yield* now;
	}
	decoder.push(new Uint8Array(0), true);
	yield* ready;
}
