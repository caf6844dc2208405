import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
	chmodSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	truncateSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openClusterStore } from "../data/cluster-store.ts";
import { registeredData } from "../data/data-directories.ts";
import { type Layout, layoutOf } from "../files/layout.ts";
import { protectData } from "../files/private-folder.ts";
import { defaultSettings, writeSettings } from "../settings/settings.ts";
import { verifyCluster, verifySnapshot } from "./check.ts";
import { finishRestore } from "./finish.ts";
import { leftOutRevisions, restoreSnapshot } from "./restore.ts";
import { saveSnapshot } from "./save.ts";

let folder: string;
let layout: Layout;
let file: string;
const secret = "/objects/core/secrets/default/a";
const open = (of: Layout) =>
	openClusterStore(of, { encryptionFile: undefined, lastEncryption: undefined, flush: false });

/** A data directory with a store of some history. */
beforeEach(async () => {
	folder = mkdtempSync(join(tmpdir(), "snapshot-"));
	layout = layoutOf(join(folder, "data"));
	file = join(folder, "saved");
	protectData(layout);
	const { store, disk } = await open(layout);
	for (let index = 0; index < 50; index++) await put(store, secret, `{"text":"hunter${index}"}`);
	for (let index = 0; index < 50; index++)
		await put(store, `/objects/core/configmaps/default/m${index}`, JSON.stringify({ text: "x".repeat(index * 200) }));
	await store.commit({ compare: [], puts: [], deletes: ["/objects/core/configmaps/default/m7"] });
	await disk.close();
	writeSettings(layout.settings, { ...defaultSettings, port: 4711 });
	writeFileSync(join(layout.pki, "sa.key"), "the key");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Opened = Awaited<ReturnType<typeof open>>["store"];
const put = (store: Opened, key: string, text: string) =>
	store.commit({ compare: [], puts: [{ key, value: Buffer.from(text) }], deletes: [] });

async function contents(of: Layout) {
	const { store, disk } = await open(of);
	const { entries, revision } = await store.range({ from: "" });
	await disk.close();
	return { values: entries.map(({ key, value }) => `${key} ${Buffer.from(value)}`), revision };
}

test("what was saved is there again in an empty directory, with keys and settings, and revisions go on far ahead", async () => {
	const before = await contents(layout);
	const header = await saveSnapshot(layout, file, true);
	expect(header).toMatchObject({ revision: before.revision, withKeys: true });
	expect((statSync(file).mode & 0o777).toString(8)).toBe("600");
	expect(readFileSync(file).includes("hunter")).toBe(false);
	const other = layoutOf(join(folder, "other"));
	const { revision } = await restoreSnapshot(other, file, { force: false });
	expect(revision).toBe(before.revision + leftOutRevisions);
	const after = await contents(other);
	expect(after.values).toEqual(before.values);
	expect(after.revision).toBe(revision);
	expect(readFileSync(join(other.pki, "sa.key"), "utf8")).toBe("the key");
	expect(readFileSync(other.settings, "utf8")).toContain("4711");
	expect(JSON.parse(readFileSync(other.identity, "utf8")).clusterId).toBe(header.clusterId);
	expect(readdirSync(other.data).filter((name) => /restore|snapshot/.test(name))).toEqual([]);
	const ended = await watchFrom(other, before.revision);
	expect(ended).toMatchObject({ reason: "Expired" });
});

async function watchFrom(of: Layout, afterRevision: number): Promise<unknown> {
	const { store, disk } = await open(of);
	const end = new Promise((resolve) => {
		const sink = { changes: resolve, end: resolve };
		store.watch({ prefix: "", afterRevision, signal: new AbortController().signal }, sink);
	});
	await end;
	await disk.close();
	return end;
}

test("revisions go on after those of the store that is replaced, too", async () => {
	await saveSnapshot(layout, file, true);
	const first = await restoreSnapshot(layout, file, { force: true });
	const second = await restoreSnapshot(layout, file, { force: true });
	expect(second.revision).toBeGreaterThan(first.revision);
});

test("a cluster that is there is not replaced without force", async () => {
	await saveSnapshot(layout, file, true);
	await expect(restoreSnapshot(layout, file, { force: false })).rejects.toThrow(/has a cluster; --force replaces it/);
});

test("nothing is restored where running containers of another cluster would see it", async () => {
	await saveSnapshot(layout, file, true);
	const place = mkdtempSync("/var/tmp/cox-snapshot-");
	try {
		const other = layoutOf(join(place, "other"));
		const register = { register: join(folder, "register"), running: ["/srv/running"] };
		await expect(restoreSnapshot(other, file, { force: false, register })).rejects.toThrow(/would see/);
		expect(existsSync(other.data)).toBe(false);
		await restoreSnapshot(other, file, { force: false, register: { ...register, running: [] } });
		expect(registeredData([register.register])).toContain(other.data);
	} finally {
		rmSync(place, { recursive: true });
	}
});

test("without keys nothing can be read elsewhere, but where they are", async () => {
	await saveSnapshot(layout, file, false);
	expect(readFileSync(file).includes("the key")).toBe(false);
	expect((await verifySnapshot(file, folder)).report.problems).toEqual([]);
	const other = layoutOf(join(folder, "other"));
	await expect(restoreSnapshot(other, file, { force: false })).rejects.toThrow(
		/encrypted with key cox-\w+, which is not there; it was saved without keys/,
	);
	expect(existsSync(other.data)).toBe(false);
	const before = await contents(layout);
	await restoreSnapshot(layout, file, { force: true });
	expect((await contents(layout)).values).toEqual(before.values);
});

test("a snapshot that is cut off or changed anywhere is refused, and leaves everything as it was", async () => {
	await saveSnapshot(layout, file, true);
	const bytes = readFileSync(file);
	const damaged = join(folder, "damaged");
	const refusal = /is damaged|is cut off|is not a cox snapshot|newer version/;
	const attempts: [string | RegExp, Buffer][] = [
		["not a cox snapshot", Buffer.from("something else")],
		["newer version", Buffer.from(bytes.toString("latin1").replace("snapshot 1", "snapshot 9"), "latin1")],
		["more data than it lists", Buffer.concat([bytes, Buffer.from("x")])],
	];
	for (let at = 20; at < bytes.length; at += Math.ceil(bytes.length / 23)) {
		const changed = Buffer.from(bytes);
		changed[at] = (changed[at] ?? 0) ^ 1;
		attempts.push([refusal, changed], [refusal, bytes.subarray(0, at)]);
	}
	const before = await contents(layout);
	for (const [message, content] of attempts) {
		writeFileSync(damaged, content, { mode: 0o600 });
		await expect(restoreSnapshot(layout, damaged, { force: true })).rejects.toThrow(message);
		await expect(verifySnapshot(damaged, folder)).rejects.toThrow(message);
	}
	expect(await contents(layout)).toEqual(before);
	expect(readdirSync(layout.data).filter((name) => /restore/.test(name))).toEqual([]);
});

test("the store of a cluster is checked down to its values", async () => {
	expect(await verifyCluster(layout, folder)).toMatchObject({ problems: [], keyCount: 50 });
	const { disk } = await open(layout);
	const sealed = (await disk.get(secret))?.value ?? new Uint8Array();
	await disk.commit({
		compare: [],
		puts: [
			{ key: `${secret}-moved`, value: sealed },
			{ key: "/objects/core/configmaps/default/broken", value: Buffer.from("{") },
		],
		deletes: [],
	});
	await disk.close();
	const { problems } = await verifyCluster(layout, folder);
	expect(problems).toEqual([
		"the value of /objects/core/configmaps/default/broken is no JSON",
		expect.stringMatching(/secrets\/default\/a-moved cannot be decrypted/),
	]);
	await expect(saveSnapshot(layout, file, true)).rejects.toThrow("the store is damaged: the value of");
	expect(existsSync(file)).toBe(false);
	truncateSync(layout.storeFile, 3 * 4096);
	await expect(verifyCluster(layout, folder)).rejects.toThrow(/is damaged: it ends before its page/);
});

test("a restore that was interrupted anywhere after its decision is ended by the next start", async () => {
	const before = await contents(layout);
	await saveSnapshot(layout, file, true);
	const other = layoutOf(join(folder, "other"));
	await restoreSnapshot(other, file, { force: false });
	const names = ["store", "pki", "cluster.json", "store.json"];
	for (let moved = 0; moved <= names.length; moved++) {
		// A short name: with a long one, the sockets would be elsewhere.
		const target = layoutOf(join(folder, `to-${moved}`));
		protectData(target);
		writeFileSync(target.settings, "old");
		const ready = join(target.data, "restore.ready");
		mkdirSync(ready);
		mkdirSync(join(target.data, "restore.new"));
		const source = layoutOf(join(folder, `source-${moved}`));
		await restoreSnapshot(source, file, { force: false });
		for (const [index, name] of names.entries()) {
			rmSync(join(target.data, name), { recursive: true, force: true });
			if (index !== moved - 1) renameSync(join(source.data, name), join(index < moved ? target.data : ready, name));
			else renameSync(join(source.data, name), join(ready, name));
		}
		finishRestore(target);
		expect((await contents(target)).values).toEqual(before.values);
		expect(readdirSync(target.data).filter((name) => /restore/.test(name))).toEqual([]);
	}
});

test("a save that is killed leaves no snapshot, and a draft that no restore takes for one", async () => {
	const script = `import { saveSnapshot } from ${JSON.stringify(new URL("./save.ts", import.meta.url).pathname)};
		import { layoutOf } from ${JSON.stringify(new URL("../files/layout.ts", import.meta.url).pathname)};
		console.log("ready");
		for (let n = 0; ; n++) await saveSnapshot(layoutOf(${JSON.stringify(layout.data)}), ${JSON.stringify(join(folder, "saves"))} + n, true);`;
	const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", script], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	const exit = once(child, "exit");
	await once(child.stdout, "data");
	while (!readdirSync(folder).some((name) => name.startsWith("saves"))) await new Promise(setImmediate);
	child.kill("SIGKILL");
	await exit;
	const saves = readdirSync(folder).filter((name) => name.startsWith("saves"));
	for (const name of saves.filter((one) => !one.includes("partial")))
		expect((await verifySnapshot(join(folder, name), folder)).report.problems).toEqual([]);
	expect((await contents(layout)).values).toHaveLength(50);
});

test("a disk that is full leaves neither a snapshot nor half a restore", async (context) => {
	const disk = join(folder, "disk");
	mkdirSync(disk, { mode: 0o700 });
	const isMounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=200k,mode=700", "tmpfs", disk]).status === 0;
	if (!isMounted) return context.skip("file systems cannot be mounted here");
	try {
		await expect(saveSnapshot(layout, join(disk, "saved"), true)).rejects.toThrow(/ENOSPC/);
		expect(readdirSync(disk)).toEqual([]);
		await saveSnapshot(layout, file, true);
		const target = layoutOf(join(disk, "data"));
		await expect(restoreSnapshot(target, file, { force: false })).rejects.toThrow(/ENOSPC/);
		expect(existsSync(target.data)).toBe(false);
	} finally {
		spawnSync("umount", [disk]);
	}
});

test("a directory of another user is refused before anything is read", async () => {
	await saveSnapshot(layout, file, true);
	const open = join(folder, "open");
	mkdirSync(open);
	chmodSync(open, 0o777);
	await expect(restoreSnapshot(layoutOf(join(open, "data")), file, { force: false })).rejects.toThrow(
		/may be written by everyone/,
	);
});
