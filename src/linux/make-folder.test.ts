import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFolder } from "./make-folder.ts";

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "cox-make-folder-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("what is missing is made, and what is there stays", () => {
	const path = join(folder, "a/b/c");
	expect(makeFolder(path, 0o700)).toBe(join(folder, "a"));
	expect(makeFolder(path)).toBeUndefined();
	expect(statSync(path).mode & 0o777).toBe(0o700);
});

test("a file in its place, and a place that takes no folders, are told", () => {
	const file = join(folder, "file");
	writeFileSync(file, "");
	expect(() => makeFolder(file)).toThrow("EEXIST");
	expect(() => makeFolder(join(file, "below"))).toThrow("ENOTDIR");
	expect(() => makeFolder("/proc/none/below")).toThrow("ENOENT");
});
