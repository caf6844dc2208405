/**
 * Values encrypted at rest with AES-256-GCM. A stored value begins with the name of its key, in upstream's form
 * (`k8s:enc:aesgcm:v1:NAME:`, "Encrypting Confidential Data at Rest"), followed by nonce, ciphertext and tag. The
 * store's key is part of the authenticated data, so that a value cannot be moved to another key.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { ApiError } from "../core/errors.ts";
import type { ValueTransform } from "./transform.ts";

export interface EncryptionKey {
	/** Without a colon. */
	name: string;
	/** 16, 24 or 32 bytes. */
	secret: Uint8Array;
}

/** How the values of certain keys of the store are written. */
export interface EncryptionRule {
	/** Prefixes of keys. */
	prefixes: readonly string[];
	/** Undefined: values are not encrypted. */
	writeKey: EncryptionKey | undefined;
}

const opening = "k8s:enc:";
const form = `${opening}aesgcm:v1:`;
const nonceBytes = 12;
const tagBytes = 16;

/** The name of the key that a stored value was encrypted with; undefined if it is not encrypted. */
export function keyNameOf(value: Uint8Array): string | undefined {
	if (!startsWith(value, opening)) return undefined;
	if (!startsWith(value, form)) return "of an unknown provider";
	const end = value.indexOf(0x3a, form.length);
	return Buffer.from(value.subarray(form.length, end)).toString();
}

/**
 * Values are written with the first rule that matches their key, and read with any of the keys; values that are not
 * encrypted are read as they are. Rules and keys may be replaced while the store is in use.
 */
export class Encryption implements ValueTransform {
	#rules: readonly EncryptionRule[] = [];
	#keys: ReadonlyMap<string, EncryptionKey> = new Map();

	constructor(rules: readonly EncryptionRule[], keys: readonly EncryptionKey[]) {
		this.use(rules, keys);
	}

	/** @param keys that values may have been encrypted with, in addition to those of the rules */
	use(rules: readonly EncryptionRule[], keys: readonly EncryptionKey[]): void {
		const writeKeys = rules.flatMap(({ writeKey }) => writeKey ?? []);
		this.#rules = rules;
		this.#keys = new Map([...keys, ...writeKeys].map((key) => [key.name, key]));
	}

	concerns(key: string): boolean {
		return this.#writeKey(key) !== undefined;
	}

	isSealed(value: Uint8Array): boolean {
		return startsWith(value, opening);
	}

	/** Whether a stored value has the form in which it would be written now. */
	isCurrent(key: string, sealed: Uint8Array): boolean {
		return keyNameOf(sealed) === this.#writeKey(key)?.name;
	}

	seal(key: string, value: Uint8Array): Uint8Array {
		const writeKey = this.#writeKey(key);
		if (writeKey === undefined) return value;
		const nonce = randomBytes(nonceBytes);
		const cipher = createCipheriv(algorithm(writeKey), writeKey.secret, nonce);
		cipher.setAAD(Buffer.from(key));
		const head = Buffer.from(`${form}${writeKey.name}:`);
		return Buffer.concat([head, nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()]);
	}

	open(key: string, sealed: Uint8Array): Uint8Array {
		const name = keyNameOf(sealed);
		if (name === undefined) return sealed;
		const readKey = this.#keys.get(name);
		if (readKey === undefined)
			throw new ApiError("InternalError", `the value of ${key} was encrypted with key ${name}, which is not there`);
		const start = form.length + Buffer.byteLength(name) + 1;
		const end = sealed.length - tagBytes;
		try {
			const decipher = createDecipheriv(algorithm(readKey), readKey.secret, sealed.subarray(start, start + nonceBytes));
			decipher.setAAD(Buffer.from(key));
			decipher.setAuthTag(sealed.subarray(end));
			return Buffer.concat([decipher.update(sealed.subarray(start + nonceBytes, end)), decipher.final()]);
		} catch {
			throw new ApiError("InternalError", `the value of ${key} cannot be decrypted with key ${name}: it was changed`);
		}
	}

	#writeKey(key: string): EncryptionKey | undefined {
		for (const { prefixes, writeKey } of this.#rules)
			for (const prefix of prefixes) if (key.startsWith(prefix)) return writeKey;
		return undefined;
	}
}

function algorithm({ secret }: EncryptionKey): "aes-128-gcm" | "aes-192-gcm" | "aes-256-gcm" {
	if (secret.length === 32) return "aes-256-gcm";
	return secret.length === 24 ? "aes-192-gcm" : "aes-128-gcm";
}

function startsWith(value: Uint8Array, text: string): boolean {
	for (let index = 0; index < text.length; index++) if (value[index] !== text.charCodeAt(index)) return false;
	return true;
}
