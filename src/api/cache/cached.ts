/** An object as the cache holds it: parsed once, encoded once, frozen. */
import { deepFreeze, type KubeObject, type ManagedFieldsEntry } from "../../core/object.ts";
import { accountJson } from "../../core/patches/accounts.ts";
import { shareAccount } from "../../core/patches/managed-fields.ts";
import type { Kind } from "../../kinds/engine/kind.ts";

/** Every stored value has its metadata right after apiVersion and kind, because `encode` writes them first. */
const metadataOpening = '"metadata":{';

/** An object and its JSON. */
export interface Encoded<T extends KubeObject = KubeObject> {
	readonly object: T;
	readonly bytes: Uint8Array;
}

/** An object that is not in the cache: converted, or created for one response. */
export class Made implements Encoded {
	readonly object: KubeObject;
	#bytes: Buffer | undefined;

	constructor(object: KubeObject) {
		this.object = deepFreeze(object);
	}

	get bytes(): Uint8Array {
		this.#bytes ??= Buffer.from(JSON.stringify(this.object));
		return this.#bytes;
	}
}

export class Cached<T extends KubeObject = KubeObject> implements Encoded<T> {
	readonly key: string;
	/** Revision of the last write, or of the deletion; 0 if it was never written. */
	readonly revision: number;
	/** The stored JSON, which has no resourceVersion. */
	readonly value: Uint8Array;
	#object: T | undefined;
	#bytes: Buffer | undefined;

	/** @param object the decoded value, frozen; undefined: it is parsed on demand */
	constructor(key: string, object: T | undefined, revision: number, value: Uint8Array) {
		this.key = key;
		this.#object = object;
		this.revision = revision;
		this.value = value;
	}

	/** Deeply frozen; its resourceVersion is `revision`. */
	get object(): T {
		// The value is an object of the kind, and the caller knows which.
		this.#object ??= parsed(this.value, this.revision) as T;
		return this.#object;
	}

	/** Keeps only the stored JSON: the object uses several times as much memory, and most Events are never read. */
	compact(): void {
		this.#object = undefined;
		this.#bytes = undefined;
	}

	/** The object's JSON with its resourceVersion. */
	get bytes(): Buffer {
		this.#bytes ??= this.revision === 0 ? asBuffer(this.value) : spliceRevision(this.value, this.revision);
		return this.#bytes;
	}

	/** The same object with another revision: the last event of a deleted object. */
	withRevision(revision: number): Cached<T> {
		const metadata = { ...this.object.metadata, resourceVersion: String(revision) };
		return new Cached(this.key, deepFreeze({ ...this.object, metadata }), revision, this.value);
	}
}

/** A stored object in another form: in another version, or pruned and defaulted by a newer schema. */
export class Form extends Cached {
	/** A write today would store the object differently. */
	readonly isOutdated: boolean;
	#json: Buffer | undefined;

	constructor(stored: Pick<Cached, "key" | "revision" | "value">, object: KubeObject, isOutdated: boolean) {
		super(stored.key, deepFreeze(object), stored.revision, stored.value);
		this.isOutdated = isOutdated;
	}

	override get bytes(): Buffer {
		this.#json ??= Buffer.from(JSON.stringify(this.object));
		return this.#json;
	}

	override withRevision(revision: number): Form {
		const { object, key, value, isOutdated } = this;
		const metadata = { ...object.metadata, resourceVersion: String(revision) };
		return new Form({ key, revision, value }, { ...object, metadata }, isOutdated);
	}
}

/**
 * JSON for the store, without resourceVersion. The object's `metadata.resourceVersion` must be undefined, and its first
 * keys apiVersion, kind and metadata.
 */
export function encode(object: KubeObject, kind?: Pick<Kind, "escapesJson">): Buffer {
	const text = json(object);
	return Buffer.from(kind?.escapesJson ? text.replace(/[&<>\u2028\u2029]/g, escaped) : text);
}

function json(object: KubeObject): string {
	const { metadata } = object;
	const { managedFields } = metadata;
	if (managedFields === undefined || Object.isFrozen(metadata)) return JSON.stringify(object);
	// Most of the text of managedFields is known: to encode it again would take as long as the rest of the object.
	metadata.managedFields = unwritten;
	const text = JSON.stringify(object);
	metadata.managedFields = managedFields;
	const at = text.indexOf(metadataOpening) + metadataOpening.length;
	return `${text.slice(0, at)}"managedFields":${accountJson(managedFields)},${text.slice(at)}`;
}

/** Temporarily removes a field of the object. */
const unwritten = undefined as unknown as readonly ManagedFieldsEntry[];

/** As Go does. These characters occur only in strings. */
function escaped(character: string): string {
	return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** The object of a stored value. */
export type Parser = (json: Buffer) => KubeObject;

/** From a stored value. */
export function parse(key: string, value: Uint8Array, revision: number, parser?: Parser): Cached {
	return new Cached(key, parsed(value, revision, parser), revision, value);
}

// Everything in the store was written by `encode`.
const parseAll: Parser = (json) => JSON.parse(json.toString()) as KubeObject;

function parsed(value: Uint8Array, revision: number, parser = parseAll): KubeObject {
	const object = parser(asBuffer(value));
	object.metadata.resourceVersion = String(revision);
	shareAccount(object);
	return deepFreeze(object);
}

function spliceRevision(value: Uint8Array, revision: number): Buffer {
	const whole = asBuffer(value);
	const at = whole.indexOf(metadataOpening) + metadataOpening.length;
	return Buffer.concat([whole.subarray(0, at), Buffer.from(`"resourceVersion":"${revision}",`), whole.subarray(at)]);
}

function asBuffer(value: Uint8Array): Buffer {
	return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
