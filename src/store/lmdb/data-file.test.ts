import { spawnSync } from "node:child_process";
import {
	copyFileSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	statSync,
	truncateSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "lmdb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dataFileProblem } from "./data-file.ts";
import { openLmdbStore } from "./lmdb.ts";

let folder: string;
let healthy: string;
let copy: string;
const pageBytes = 4096;

beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), "store-"));
	const store = openLmdbStore({ folder, historyCommits: 20 });
	// Large and small values, with enough overwritten ones for free pages in the middle and at the end.
	for (let index = 0; index < 600; index++) {
		const value = Buffer.alloc(index % 7 === 0 ? 30_000 : 300, index);
		await store.commit({ compare: [], puts: [{ key: `/k${index % 90}`, value }], deletes: [`/k${(index + 45) % 90}`] });
	}
	await store.close();
	healthy = join(folder, "store", "data.mdb");
	copy = join(folder, "copy.mdb");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a healthy file has no problem, and every page that it names", () => {
	expect(dataFileProblem(healthy)).toBeUndefined();
	expect(dataFileProblem(healthy, { everyPage: true })).toBeUndefined();
});

test("meta pages that are cut off, overwritten or zero are noticed", () => {
	for (const size of [1, 100, pageBytes, pageBytes + 100]) {
		copyFileSync(healthy, copy);
		truncateSync(copy, size);
		expect(dataFileProblem(copy), `${size} bytes`).toMatch(/its (first|second) page is damaged/);
	}
	for (const page of [0, 1]) {
		const bytes = readFileSync(healthy);
		bytes.fill(0, page * pageBytes, (page + 1) * pageBytes);
		writeFileSync(copy, bytes);
		expect(dataFileProblem(copy)).toBe(`its ${page === 0 ? "first" : "second"} page is damaged`);
	}
});

test("of a file cut off anywhere, either nothing is missing, or that is noticed", () => {
	const everyKey = `
		import { open } from "lmdb";
		const root = open({ path: process.argv[1], noSubdir: true, readOnly: true, noLock: true, maxDbs: 4 });
		for (const name of ["index", "log"]) for (const one of root.openDB({ name, encoding: "binary" }).getRange()) one.value.at(0);`;
	const size = statSync(healthy).size;
	let noticed = 0;
	for (let pages = size / pageBytes - 1; pages >= 2; pages -= 7) {
		copyFileSync(healthy, copy);
		truncateSync(copy, pages * pageBytes);
		if (dataFileProblem(copy) !== undefined) noticed++;
		else {
			// A file that passes the check is read completely by a separate process, which a missing page would crash.
			const args = ["--input-type=module", "--eval", everyKey, copy];
			const { status, signal, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
			expect({ pages, status, signal, stderr }).toEqual({ pages, status: 0, signal: null, stderr: "" });
		}
	}
	expect(noticed).toBeGreaterThan(10);
});

test("a store with a damaged file is refused with what to do", () => {
	const other = mkdtempSync(join(folder, "other-"));
	const at = join(other, "store");
	mkdirSync(at);
	writeFileSync(join(at, "data.mdb"), readFileSync(healthy).subarray(0, 3 * pageBytes));
	expect(() => openLmdbStore({ folder: other })).toThrow(
		/is damaged: it ends before its page \d+; put back a copy of it, restore a snapshot \('cox snapshot restore/,
	);
});

test("a store of a newer format is refused, and one without any is taken", async () => {
	const other = mkdtempSync(join(folder, "newer-"));
	await openLmdbStore({ folder: other }).close();
	await openLmdbStore({ folder: other }).close();
	const root = open({ path: join(other, "store"), maxDbs: 4 });
	await root.openDB<number, string>({ name: "meta", encoding: "json" }).put("format", 99);
	await root.close();
	expect(() => openLmdbStore({ folder: other })).toThrow(
		/newer version of cox \(format 99, this one reads up to \d+\)/,
	);
});
