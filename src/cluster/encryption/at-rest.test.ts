import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keyNameOf } from "../../store/encryption.ts";
import { openLmdbStore } from "../../store/lmdb/lmdb.ts";
import { createMemoryStore } from "../../store/memory.ts";
import type { Store } from "../../store/store.ts";
import { withinBounds } from "../../store/testing/bounded-store.ts";
import { openClusterStore } from "../data/cluster-store.ts";
import { type Layout, layoutOf } from "../files/layout.ts";
import { protectData } from "../files/private-folder.ts";
import { EncryptionAtRest, readEncryptionFile } from "./at-rest.ts";
import { keyFile, readOwnKeys } from "./key-file.ts";

let layout: Layout;
beforeEach(() => {
	layout = layoutOf(mkdtempSync(join(tmpdir(), "at-rest-")));
	protectData(layout);
});
afterEach(() => rmSync(layout.data, { recursive: true, force: true }));

const secretKey = (name: string) => `/objects/core/secrets/default/${name}`;
const put = (store: Store, key: string, text: string) =>
	store.commit({ compare: [], puts: [{ key, value: Buffer.from(text) }], deletes: [] });
const open = (file?: string, last?: { file: string; digest: string }) =>
	openClusterStore(layout, { encryptionFile: file, lastEncryption: last, flush: false });
const textOf = async (store: Store, key: string) => Buffer.from((await store.get(key))?.value ?? []).toString();
const fileHas = (text: string) => readFileSync(layout.storeFile).includes(text);

test("a Secret's text is not in the store's file, however it was written, changed and deleted", async () => {
	const { store, disk } = await open();
	for (let round = 0; round < 20; round++) await put(store, secretKey("a"), `{"text":"hunter${round}"}`);
	await put(store, secretKey("b"), `{"text":"${"hunter".repeat(5000)}"}`);
	await store.commit({ compare: [], puts: [], deletes: [secretKey("a")] });
	await put(store, "/objects/core/configmaps/default/a", '{"text":"in the open"}');
	await disk.close();
	expect(fileHas("hunter")).toBe(false);
	expect(fileHas("in the open")).toBe(true);
	expect((statSync(keyFile(layout.pki)).mode & 0o777).toString(8)).toBe("600");
});

test("what an earlier version wrote unencrypted is encrypted at the start, and gone from free pages, too", async () => {
	const old = openLmdbStore({ folder: layout.store, flush: false });
	for (let index = 0; index < 300; index++) await put(old, secretKey(`s${index % 40}`), `{"text":"hunter${index}"}`);
	for (let index = 0; index < 10; index++)
		await old.commit({ compare: [], puts: [], deletes: [secretKey(`s${index}`)] });
	await old.close();
	expect(fileHas("hunter")).toBe(true);
	const revisionBefore = 310;
	const { store, disk } = await open();
	const revision = await store.revision();
	expect(revision).toBeGreaterThan(revisionBefore);
	expect(await textOf(store, secretKey("s39"))).toBe('{"text":"hunter279"}');
	expect(keyNameOf((await disk.get(secretKey("s39")))?.value ?? Buffer.from(""))).toMatch(/^cox-/);
	await disk.close();
	expect(fileHas("hunter")).toBe(false);
	const again = await open();
	expect(await again.store.revision()).toBe(revision);
	await again.disk.close();
});

test("a configuration adds to what is encrypted, its keys may be exchanged, and without it all is readable again", async () => {
	const file = join(layout.data, "enc.yaml");
	const write = (...names: string[]) =>
		writeFileSync(
			file,
			JSON.stringify({
				apiVersion: "apiserver.config.k8s.io/v1",
				kind: "EncryptionConfiguration",
				resources: [
					{
						resources: ["configmaps"],
						providers: [
							{
								aesgcm: {
									keys: names.map((name) => ({ name, secret: Buffer.alloc(32, name).toString("base64") })),
								},
							},
						],
					},
				],
			}),
		);
	const map = "/objects/core/configmaps/default/a";
	const keyOf = async (store: Store, key: string) => keyNameOf((await store.get(key))?.value ?? Buffer.from(""));

	let opened = await open();
	await put(opened.store, map, '{"text":"hunter"}');
	await put(opened.store, secretKey("a"), "{}");
	await opened.disk.close();
	write("first");
	opened = await open(file, opened.encryption);
	expect(await keyOf(opened.disk, map)).toBe("first");
	expect(await keyOf(opened.disk, secretKey("a"))).toMatch(/^cox-/);
	await opened.disk.close();
	expect(fileHas("hunter")).toBe(false);
	write("second", "first");
	opened = await open(file, opened.encryption);
	expect(await keyOf(opened.disk, map)).toBe("second");
	await opened.disk.close();
	opened = await open(undefined, opened.encryption);
	expect(await keyOf(opened.disk, map)).toBeUndefined();
	expect(await textOf(opened.store, map)).toBe('{"text":"hunter"}');
	await opened.disk.close();
});

test("runs and what belongs to them are encrypted by a configuration that names them, though a start was killed before it had written all again", async () => {
	const file = join(layout.data, "enc.yaml");
	const provider = { aesgcm: { keys: [{ name: "first", secret: Buffer.alloc(32, "k").toString("base64") }] } };
	writeFileSync(
		file,
		JSON.stringify({
			apiVersion: "apiserver.config.k8s.io/v1",
			kind: "EncryptionConfiguration",
			resources: [{ resources: ["runs.history.coxswain.io"], providers: [provider] }],
		}),
	);
	const keys = [
		"/objects/history.coxswain.io/runs/default/a",
		...Array.from({ length: 300 }, (_, index) => `history/logs/default/a/p/c/${index}`),
		"history/facts/default/j/job/j",
	];
	let opened = await open();
	for (const key of keys) await put(opened.store, key, '{"text":"hunter"}');
	await opened.disk.close();
	// One of three rewriting commits succeeds; the settings are written after the start.
	const disk = openLmdbStore({ folder: layout.store, flush: false });
	const { plan } = readEncryptionFile(file);
	const atRest = new EncryptionAtRest({ pki: layout.pki, plan });
	const bounded = withinBounds(disk, (what) => expect.fail(what));
	await expect(atRest.prepare(mortal(bounded, 2), true)).rejects.toThrow("the process ended");
	await disk.close();
	const forms = async (store: Store) => {
		const found = new Map<string, number>();
		for (const key of keys) {
			const name = keyNameOf((await store.get(key))?.value ?? Buffer.from("")) ?? "none";
			found.set(name, (found.get(name) ?? 0) + 1);
		}
		return Object.fromEntries(found);
	};
	opened = await open(file, opened.encryption);
	expect(await forms(opened.disk)).toEqual({ first: keys.length });
	await opened.disk.close();
	expect(fileHas("hunter")).toBe(false);
	opened = await open(undefined, opened.encryption);
	expect(await forms(opened.disk)).toEqual({ none: keys.length });
	expect(await textOf(opened.store, keys[5] ?? "")).toBe('{"text":"hunter"}');
	await opened.disk.close();
});

test("a lost or damaged key is said, and nothing is made in its place", async () => {
	const opened = await open();
	await put(opened.store, secretKey("a"), "{}");
	await opened.disk.close();
	const key = readFileSync(keyFile(layout.pki));
	writeFileSync(keyFile(layout.pki), "{}");
	await expect(open()).rejects.toThrow(/encryption.json is damaged: without it Secrets cannot be read/);
	rmSync(keyFile(layout.pki));
	await expect(open()).rejects.toThrow(
		/default\/a was encrypted with key cox-\w+, which is not there; put .*encryption.json back/,
	);
	expect(existsSync(keyFile(layout.pki))).toBe(false);
	writeFileSync(keyFile(layout.pki), key);
	await (await open()).disk.close();
});

/** A store that fails permanently from one of its writes on, as if the process had ended there. */
function mortal(store: Store, writes: number): Store {
	let left = writes;
	const alive = () => {
		if (left-- <= 0) throw new Error("the process ended");
	};
	return {
		...store,
		async commit(commit) {
			alive();
			const result = await store.commit(commit);
			alive();
			return result;
		},
		async compact(revision) {
			alive();
			await store.compact(revision);
			alive();
		},
	};
}

test("a rotation that is interrupted anywhere loses nothing, and the next start ends it", async () => {
	for (let writes = 0; ; writes++) {
		rmSync(keyFile(layout.pki), { force: true });
		const disk = createMemoryStore();
		const before = new EncryptionAtRest({ pki: layout.pki });
		await before.prepare(disk, false);
		const names = Array.from({ length: 300 }, (_, index) => secretKey(`s${index}`));
		for (const key of names) {
			const value = before.encryption.seal(key, Buffer.from(key));
			await disk.commit({ compare: [], puts: [{ key, value }], deletes: [] });
		}
		const oldKey = readOwnKeys(layout.pki)?.[0].name;
		const ended = await before.rotate(mortal(disk, writes)).then(
			(count) => ({ count }),
			() => undefined,
		);
		const after = new EncryptionAtRest({ pki: layout.pki });
		await after.prepare(disk, false);
		const { entries } = await disk.range({ from: "" });
		expect(entries).toHaveLength(names.length);
		for (const { key, value } of entries) {
			expect(Buffer.from(after.encryption.open(key, value)).toString()).toBe(key);
			expect(keyNameOf(value)).not.toBe(oldKey);
		}
		const keys = readOwnKeys(layout.pki);
		expect(keys).toHaveLength(1);
		expect(keys?.[0].name).not.toBe(oldKey);
		if (ended === undefined) continue;
		expect(ended.count).toBe(300);
		expect(writes).toBeGreaterThan(5);
		return;
	}
});

test("what is written while keys are exchanged is read with the new key alone", async () => {
	const disk = createMemoryStore();
	const atRest = new EncryptionAtRest({ pki: layout.pki });
	await atRest.prepare(disk, false);
	const oldKey = readOwnKeys(layout.pki)?.[0].name;
	// Sealed with the old key, and still being written when the rotation begins.
	const late = atRest.encryption.seal(secretKey("late"), Buffer.from("late"));
	await put(disk, secretKey("first"), "plain");
	const compact = disk.compact.bind(disk);
	let isLate = false;
	const commit: Store["commit"] = async (wanted) => {
		if (!isLate) {
			isLate = true;
			await disk.commit({ compare: [], puts: [{ key: secretKey("late"), value: late }], deletes: [] });
		}
		return disk.commit(wanted);
	};
	await atRest.rotate({ ...disk, commit, compact });
	for (const { key, value } of (await disk.range({ from: "" })).entries) {
		expect(keyNameOf(value), key).not.toBe(oldKey);
		expect(() => atRest.encryption.open(key, value)).not.toThrow();
	}
});
