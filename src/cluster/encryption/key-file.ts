/** The cluster's own keys for encryption at rest, in the same folder as its certificates. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { EncryptionKey } from "../../store/encryption.ts";
import { writeDurably } from "../files/durable-file.ts";

const keyBytes = 32;

/** Newest first: it is used for writing; values with the others are being rewritten. */
export type OwnKeys = readonly [EncryptionKey, ...EncryptionKey[]];

export function keyFile(pki: string): string {
	return join(pki, "encryption.json");
}

/** @throws Error if the file does not contain valid keys */
export function readOwnKeys(pki: string): OwnKeys | undefined {
	const file = keyFile(pki);
	if (!existsSync(file)) return undefined;
	try {
		// Checked below.
		const { keys } = JSON.parse(readFileSync(file, "utf8")) as { keys: { name: unknown; secret: unknown }[] };
		const [first, ...others] = keys.map(({ name, secret }) => keyOf(name, secret));
		if (first !== undefined) return [first, ...others];
	} catch {
		// As below.
	}
	throw new Error(
		`${file} is damaged: without it Secrets cannot be read; put back a copy of it, or restore a snapshot that has the keys`,
	);
}

function keyOf(name: unknown, secret: unknown): EncryptionKey {
	if (typeof name !== "string" || typeof secret !== "string") throw new Error("not a key");
	const bytes = Buffer.from(secret, "base64");
	if (bytes.length !== keyBytes) throw new Error("not a key");
	return { name, secret: bytes };
}

export function newKey(): EncryptionKey {
	return { name: `cox-${randomBytes(4).toString("hex")}`, secret: randomBytes(keyBytes) };
}

/** On disk when this returns. */
export function writeOwnKeys(pki: string, keys: OwnKeys): void {
	const listed = keys.map(({ name, secret }) => ({ name, secret: Buffer.from(secret).toString("base64") }));
	writeDurably(keyFile(pki), `${JSON.stringify({ keys: listed }, null, 2)}\n`);
}
