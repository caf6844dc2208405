/**
 * The JavaScript client's HTTP library is written for Node 22.15 and newer. With stand-ins for the three things of it
 * that Node 20 lacks it runs there, too. Import this first.
 */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const zlib: { createZstdDecompress?: () => never } = require("node:zlib");
zlib.createZstdDecompress ??= () => {
	throw new Error(`Node ${process.version} has no Zstandard`);
};
const workers: { markAsUncloneable?: (object: object) => void } = require("node:worker_threads");
workers.markAsUncloneable ??= () => {};
// As this library of types knows it, and Node 20 has it.
const promises = Promise as { prototype: unknown; withResolvers?: () => object };
promises.withResolvers ??= () => {
	let settle = {};
	const promise = new Promise((resolve, reject) => {
		settle = { resolve, reject };
	});
	return { promise, ...settle };
};
