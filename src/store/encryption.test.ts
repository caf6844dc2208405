import { expect, test } from "vitest";
import { storeContract } from "./contract.ts";
import { Encryption, type EncryptionKey, keyNameOf } from "./encryption.ts";
import { createMemoryStore } from "./memory.ts";
import type { Change } from "./store.ts";
import { transformStore } from "./transform.ts";

const key = (name: string, size = 32): EncryptionKey => ({ name, secret: Buffer.alloc(size, name) });
const one = key("one");
const two = key("two");
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined) => new TextDecoder().decode(value);

storeContract("encrypted store", async () => ({
	store: transformStore(createMemoryStore(), new Encryption([{ prefixes: ["/"], writeKey: one }], [])),
	remove: async () => {},
}));

test.each([16, 24, 32])("what is written with a key of %i bytes shows its name only, and is read again", (size) => {
	const encryption = new Encryption([{ prefixes: ["/secret/"], writeKey: key("k", size) }], []);
	const sealed = encryption.seal("/secret/a", bytes("the text"));
	expect(Buffer.from(sealed).toString("latin1")).toMatch(/^k8s:enc:aesgcm:v1:k:/);
	expect(Buffer.from(sealed).includes("the text")).toBe(false);
	expect(encryption.seal("/secret/a", bytes("the text"))).not.toEqual(sealed);
	expect(text(encryption.open("/secret/a", sealed))).toBe("the text");
	expect(encryption.concerns("/other/a")).toBe(false);
	expect(encryption.isCurrent("/other/a", bytes("{}"))).toBe(true);
	expect(encryption.isCurrent("/secret/a", bytes("{}"))).toBe(false);
});

test("a value that was moved to another key, or changed in any byte, is not read", () => {
	const encryption = new Encryption([{ prefixes: ["/"], writeKey: one }], []);
	const sealed = encryption.seal("/secret/a", bytes("the text"));
	expect(() => encryption.open("/secret/b", sealed)).toThrow(/value of \/secret\/b cannot be decrypted with key one/);
	const head = Buffer.from("k8s:enc:aesgcm:v1:one:").length;
	for (let index = head; index < sealed.length; index++) {
		const changed = Uint8Array.from(sealed);
		changed[index] = (changed[index] ?? 0) ^ 1;
		expect(() => encryption.open("/secret/a", changed)).toThrow("cannot be decrypted");
	}
	for (let length = head; length < sealed.length; length++)
		expect(() => encryption.open("/secret/a", sealed.subarray(0, length))).toThrow("cannot be decrypted");
});

test("any key that is there reads; one that is not there is named", () => {
	const sealed = new Encryption([{ prefixes: ["/"], writeKey: one }], []).seal("/a", bytes("old"));
	const encryption = new Encryption([{ prefixes: ["/"], writeKey: two }], [one]);
	expect(text(encryption.open("/a", sealed))).toBe("old");
	expect(keyNameOf(encryption.seal("/a", bytes("new")))).toBe("two");
	encryption.use([{ prefixes: ["/"], writeKey: two }], []);
	expect(() => encryption.open("/a", sealed)).toThrow("was encrypted with key one, which is not there");
	expect(() => encryption.open("/a", bytes("k8s:enc:kms:v2:x:y"))).toThrow("of an unknown provider");
	// Written before encryption was enabled.
	expect(text(encryption.open("/a", bytes("{}")))).toBe("{}");
});

test("the first rule that knows a key counts", () => {
	const rules = [
		{ prefixes: ["/a/x/"], writeKey: undefined },
		{ prefixes: ["/a/"], writeKey: one },
	];
	const encryption = new Encryption(rules, []);
	expect(encryption.concerns("/a/x/1")).toBe(false);
	expect(encryption.concerns("/a/y/1")).toBe(true);
});

test("only what is concerned is encrypted underneath, and a watch gives the very bytes that were committed", async () => {
	const below = createMemoryStore();
	const store = transformStore(below, new Encryption([{ prefixes: ["/secret/"], writeKey: one }], []));
	const secret = bytes("secret");
	const plain = bytes("plain");
	const seen: Change[] = [];
	const sink = { changes: (changes: readonly Change[]) => void seen.push(...changes), end: () => {} };
	store.watch({ prefix: "", afterRevision: 0, signal: new AbortController().signal }, sink);
	await store.commit({
		compare: [],
		puts: [
			{ key: "/plain/a", value: plain },
			{ key: "/secret/a", value: secret },
		],
		deletes: [],
	});
	await new Promise(setImmediate);
	expect(seen.map((change) => change.type === "put" && change.value)).toEqual([plain, secret]);
	expect(seen[0]?.type === "put" && seen[0].value).toBe(plain);
	expect(seen[1]?.type === "put" && seen[1].value).toBe(secret);
	expect((await below.get("/plain/a"))?.value).toBe(plain);
	expect(keyNameOf((await below.get("/secret/a"))?.value ?? plain)).toBe("one");
	await store.commit({ compare: [], puts: [], deletes: ["/secret/a"] });
	expect(text(seen[2]?.previous?.value)).toBe("secret");
	const failed = await store.commit({ compare: [{ key: "/plain/a", modRevision: 9 }], puts: [], deletes: [] });
	expect(failed.ok ? undefined : failed.current[0]?.value).toBe(plain);
});
