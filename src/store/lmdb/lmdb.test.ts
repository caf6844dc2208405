import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ApiError } from "../../core/errors.ts";
import type { Change, Store } from "../store.ts";
import { openLmdbStore } from "./lmdb.ts";

const rounds = Number(process.env["STORE_KILL_ROUNDS"] ?? 2);
const writer = new URL("../testing/writer.ts", import.meta.url).pathname;
const bytes = (text: string) => new TextEncoder().encode(text);

let folder: string;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "store-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function put(store: Store, key: string, value: Uint8Array = bytes(key)) {
	return store.commit({ compare: [], puts: [{ key, value }], deletes: [] });
}

interface Acknowledged {
	number: number;
	revision: number;
	key: string;
}

/**
 * Runs a writing process until it has acknowledged this number of writes, kills it, and returns the acknowledged
 * writes.
 */
async function writeAndKill(from: number, count: number, flush: boolean): Promise<Acknowledged[]> {
	const child = spawn(process.execPath, ["--import", "tsx", writer, folder, String(from), String(flush)], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	const exit = once(child, "exit");
	const acknowledged: Acknowledged[] = [];
	for await (const line of createInterface({ input: child.stdout })) {
		const [number = "", revision = "", key = ""] = line.split(" ");
		acknowledged.push({ number: Number(number), revision: Number(revision), key });
		if (acknowledged.length === count) child.kill("SIGKILL");
	}
	await exit;
	return acknowledged;
}

test.each([
	["survives kill -9", true],
	["survives kill -9 without waiting for the disk", false],
])(
	`what was acknowledged %s (${rounds} rounds; STORE_KILL_ROUNDS for more)`,
	{
		timeout: 30_000 + rounds * 10_000,
	},
	async (_, flush) => {
		let from = 0;
		let lastRevision = 0;
		for (let round = 0; round < rounds; round++) {
			const acknowledged = await writeAndKill(from, 500 + round * 137, flush);
			const newest = new Map<string, Acknowledged>();
			for (const write of acknowledged) {
				const known = newest.get(write.key);
				if (known === undefined || known.revision < write.revision) newest.set(write.key, write);
			}
			const revisions = acknowledged.map((write) => write.revision);
			expect(new Set(revisions).size, "a revision was given twice").toBe(revisions.length);
			expect(Math.min(...revisions), "a revision was used again").toBeGreaterThan(lastRevision);

			const store = openLmdbStore({ folder });
			for (const { key, revision, number } of newest.values()) {
				const entry = await store.get(key);
				expect(entry?.modRevision ?? 0, `write ${number} of ${key}`).toBeGreaterThanOrEqual(revision);
				if (entry?.modRevision === revision)
					expect(new TextDecoder().decode(entry.value)).toBe(`${number}`.padEnd(500, "."));
			}
			lastRevision = await store.revision();
			expect(lastRevision).toBeGreaterThanOrEqual(Math.max(...revisions));
			const history: number[] = [];
			await new Promise<void>((resolve, reject) => {
				const changes = (found: readonly Change[]) => {
					history.push(found[0]?.revision ?? 0);
					if (history.at(-1) === lastRevision) resolve();
				};
				const signal = new AbortController().signal;
				store.watch({ prefix: "", afterRevision: lastRevision - 100, signal }, { changes, end: reject });
			});
			expect(history).toEqual(Array.from({ length: 100 }, (_, index) => lastRevision - 99 + index));
			await store.close();
			from = Math.max(...acknowledged.map((write) => write.number)) + 100;
		}
	},
);

test("a folder in use is refused, with the name of who has it", async () => {
	const store = openLmdbStore({ folder });
	expect(() => openLmdbStore({ folder })).toThrow(/is in use by this process/);
	const script = `import { openLmdbStore } from ${JSON.stringify(new URL("./lmdb.ts", import.meta.url).pathname)};
		try { openLmdbStore({ folder: ${JSON.stringify(folder)} }); } catch (error) { console.log(error.reason, error.message); }`;
	const other = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", script], {
		encoding: "utf8",
	});
	expect(other.stdout).toContain(`Conflict the data folder ${folder} is in use by process ${process.pid} (`);
	await store.close();
	await openLmdbStore({ folder }).close();
});

test("a lock left behind by a process that is gone, or by another with its number, is taken over", async () => {
	for (const holder of [
		{ pid: 2 ** 22 + 1, command: "gone" },
		{ pid: process.pid, startTicks: "1", command: "before" },
	]) {
		await writeFile(join(folder, "holder.json"), JSON.stringify(holder));
		await openLmdbStore({ folder }).close();
	}
	await writeFile(join(folder, "holder.json"), "not a lock");
	await openLmdbStore({ folder }).close();
});

test("a process that was killed holds nothing, though nobody has taken note of its end", async () => {
	// sleep does not wait for children, so the shell's child becomes a zombie.
	const parent = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 600"], { stdio: ["ignore", "pipe", "ignore"] });
	try {
		const [chunk] = await once(parent.stdout, "data");
		const pid = Number(String(chunk));
		while (!/\) Z /.test(await readFile(`/proc/${pid}/stat`, "utf8"))) await new Promise(setImmediate);
		await writeFile(join(folder, "holder.json"), JSON.stringify({ pid, command: "killed" }));
		await openLmdbStore({ folder }).close();
	} finally {
		parent.kill();
	}
});

test("history stays bounded, and so does the file", async () => {
	const store = openLmdbStore({ folder, historyCommits: 100 });
	const size = async () => (await stat(join(folder, "store", "data.mdb"))).size;
	const fill = async (count: number) => {
		for (let index = 0; index < count; index += 10)
			await Promise.all(Array.from({ length: 10 }, (_, at) => put(store, `/k${at}`, new Uint8Array(2048))));
	};
	await fill(1000);
	const before = await size();
	await fill(3000);
	expect(await size()).toBeLessThan(before * 1.5);
	const ended = await new Promise<Error>((resolve) => {
		const sink = { changes: () => {}, end: resolve };
		store.watch({ prefix: "", afterRevision: 3000, signal: new AbortController().signal }, sink);
	});
	expect(ended).toMatchObject({ reason: "Expired" });
	await store.close();
});

test("commits that were waiting when the store closed are written; later ones are refused", async () => {
	const store = openLmdbStore({ folder });
	const waiting = [put(store, "/a"), put(store, "/b")];
	await store.close();
	expect((await Promise.all(waiting)).every((result) => result.ok)).toBe(true);
	await expect(put(store, "/c")).rejects.toMatchObject({ reason: "ServiceUnavailable" });
	const again = openLmdbStore({ folder });
	expect(await again.revision()).toBe(2);
	await again.close();
});

/** A separate file system, small enough to fill. */
async function smallDisk(): Promise<{ path: string; grow(): void; remove(): Promise<void> } | undefined> {
	const path = await mkdtemp(join(tmpdir(), "disk-"));
	const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=6m", "tmpfs", path]).status === 0;
	const remove = async () => {
		if (mounted) spawnSync("umount", [path]);
		await rm(path, { recursive: true, force: true });
	};
	if (!mounted) {
		await remove();
		return undefined;
	}
	return { path, remove, grow: () => void spawnSync("mount", ["-o", "remount,size=32m", path]) };
}

test("on a full disk commits are refused, nothing is lost, and writing goes on when there is space", async (context) => {
	const disk = await smallDisk();
	if (disk === undefined) {
		context.skip("mounting a small file system is not permitted here");
		return;
	}
	try {
		let store = openLmdbStore({ folder: disk.path });
		const acknowledged: string[] = [];
		let failure: unknown;
		for (let index = 0; index < 5000 && failure === undefined; index++)
			await put(store, `/k${index}`, new Uint8Array(2048)).then(
				() => acknowledged.push(`/k${index}`),
				(error: unknown) => {
					failure = error;
				},
			);
		expect(failure).toBeInstanceOf(ApiError);
		expect(String(failure)).toContain("is full");
		expect(acknowledged.length).toBeGreaterThan(100);
		const keys = async () => (await store.range({ from: "" })).entries.map((entry) => entry.key).sort();
		expect(await keys()).toEqual(acknowledged.toSorted());
		// Another process uses the rest of the disk: after a crash, existing data can still be read.
		await store.close();
		await writeFile(join(disk.path, "filler"), new Uint8Array(16 * 1024 * 1024)).catch(() => {});
		store = openLmdbStore({ folder: disk.path });
		expect(await keys()).toEqual(acknowledged.toSorted());
		disk.grow();
		expect((await put(store, "/k-more")).ok).toBe(true);
		await store.close();
		store = openLmdbStore({ folder: disk.path });
		expect(await keys()).toEqual([...acknowledged, "/k-more"].sort());
		await store.close();
	} finally {
		await disk.remove();
	}
});

test("on a full disk entries can be deleted, and small ones written in their place", async (context) => {
	const disk = await smallDisk();
	if (disk === undefined) {
		context.skip("mounting a small file system is not permitted here");
		return;
	}
	try {
		const store = openLmdbStore({ folder: disk.path });
		const written: string[] = [];
		for (let isFull = false; !isFull; )
			await put(store, `/large${written.length}`, new Uint8Array(64 * 1024)).then(
				() => written.push(`/large${written.length}`),
				() => {
					isFull = true;
				},
			);
		for (const key of written) await store.commit({ compare: [], puts: [], deletes: [key] });
		expect((await store.range({ from: "/large" })).entries).toEqual([]);
		// Many times as much as was free when large values were rejected.
		for (let index = 0; index < 400; index++) await put(store, "/small", new Uint8Array(4096));
		await store.close();
	} finally {
		await disk.remove();
	}
});

test("history has a budget in bytes, which bounds the file, also after a restart", async () => {
	const mebi = 1024 * 1024;
	let store = openLmdbStore({ folder, historyBytes: 4 * mebi });
	const size = async () => (await stat(join(folder, "store", "data.mdb"))).size;
	const oldest = (after: number) =>
		new Promise<"there" | "Expired">((resolve) => {
			const sink = {
				changes: () => resolve("there"),
				end: (error: Error) => resolve((error as ApiError).reason as "Expired"),
			};
			store.watch({ prefix: "", afterRevision: after, signal: new AbortController().signal }, sink);
		});
	for (let round = 0; round < 2; round++) {
		for (let index = 0; index < 60; index++) await put(store, "/large", new Uint8Array(mebi));
		expect(await size()).toBeLessThan(14 * mebi);
		const newest = await store.revision();
		expect(await oldest(newest - 2)).toBe("there");
		expect(await oldest(newest - 8)).toBe("Expired");
		await store.close();
		store = openLmdbStore({ folder, historyBytes: 4 * mebi });
	}
	expect((await store.get("/large"))?.value.length).toBe(mebi);
	await store.close();
});

test("a rebuilt store has the same content and history, is written to, and has nothing of what was deleted", async () => {
	const store = openLmdbStore({ folder: join(folder, "old"), historyCommits: 300 });
	for (let index = 0; index < 1500; index++) await put(store, `/k/${index % 100}`, bytes(`value ${index} `.repeat(40)));
	await put(store, "/k/0", bytes("a word that goes"));
	await store.commit({ compare: [], puts: [], deletes: ["/k/0"] });
	await store.compact(await store.revision());
	await put(store, "/k/1", bytes("newest"));
	const before = await store.range({ from: "/", to: "0" });
	await store.rebuildIn(join(folder, "new"));
	await store.close();
	expect((await readFile(join(folder, "new/store/data.mdb"))).includes("a word that goes")).toBe(false);

	const rebuilt = openLmdbStore({ folder: join(folder, "new") });
	expect(await rebuilt.range({ from: "/", to: "0" })).toEqual(before);
	const revision = await rebuilt.revision();
	expect(revision).toBe(await revisionIn(join(folder, "old")));
	await rebuilt.advance(revision + 1000);
	expect(await put(rebuilt, "/k/2")).toMatchObject({ ok: true, revision: revision + 1001 });
	await rebuilt.close();
});

test("a copy of a store in use is written to", async () => {
	const store = openLmdbStore({ folder: join(folder, "used") });
	for (let index = 0; index < 1500; index++)
		await put(store, `/k/${index % 100}`, bytes(`value ${index} `.repeat(index % 10 === 0 ? 2000 : 40)));
	await mkdir(join(folder, "copy/store"), { recursive: true });
	await store.copyTo(join(folder, "copy/store"));
	await store.close();
	const copy = openLmdbStore({ folder: join(folder, "copy") });
	await copy.advance((await copy.revision()) + 1000);
	expect((await copy.range({ from: "/", to: "0" })).entries).toHaveLength(100);
	await copy.close();
});

async function revisionIn(path: string): Promise<number> {
	const store = openLmdbStore({ folder: path });
	const revision = await store.revision();
	await store.close();
	return revision;
}
