/**
 * Objects as protobuf, encoded once for all readers and watchers, like JSON. Few clients ask for protobuf, so the bytes
 * are not stored with the objects, but in a cache of limited size.
 */
import { asContent } from "./envelope.ts";
import { encodeObject } from "./message-encoder.ts";

/** The cache may use twice as much. */
const generationBytes = 16 * 1024 * 1024;

/** By identity, because objects are immutable. Weak: entries of objects that are no longer used are dropped. */
class Generations {
	#young = new WeakMap<object, Buffer>();
	#old = new WeakMap<object, Buffer>();
	#youngBytes = 0;

	get(key: object): Buffer | undefined {
		const young = this.#young.get(key);
		if (young !== undefined) return young;
		const old = this.#old.get(key);
		if (old !== undefined) this.set(key, old);
		return old;
	}

	set(key: object, bytes: Buffer): void {
		this.#youngBytes += bytes.length;
		if (this.#youngBytes > generationBytes) {
			this.#old = this.#young;
			this.#young = new WeakMap();
			this.#youngBytes = bytes.length;
		}
		this.#young.set(key, bytes);
	}
}

const known = new Generations();

/**
 * The message of a frozen object as the content of an envelope or a list.
 * @param type that the object always has
 */
export function sharedContent(object: object, type: string): Buffer {
	return remembered(object, () => encodeObject(object, type));
}

/** The same for an object of which only metadata is sent, cached by the metadata. */
export function sharedMetadata(metadata: object): Buffer {
	return remembered(metadata, () => encodeObject({ metadata }, "PartialObjectMetadata"));
}

function remembered(key: object, encode: () => Buffer): Buffer {
	let content = known.get(key);
	if (content === undefined) {
		content = asContent(encode());
		known.set(key, content);
	}
	return content;
}
