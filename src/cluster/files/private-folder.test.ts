import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { layoutOf } from "./layout.ts";
import { ensurePrivateFolder, protectData } from "./private-folder.ts";

const isRoot = process.getuid?.() === 0;
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

let folder: string;
let umask: number;
beforeEach(() => {
	umask = process.umask(0);
	folder = mkdtempSync(join(tmpdir(), "private-"));
});
afterEach(() => {
	process.umask(umask);
	rmSync(folder, { recursive: true, force: true });
});

test("a data directory that others could read is closed to them, with everything secret in it", () => {
	const layout = layoutOf(join(folder, "data"));
	const deep = join(layout.store, "store");
	for (const path of [layout.data, layout.pki, deep, layout.sockets]) mkdirSync(path, { recursive: true, mode: 0o777 });
	const files = [join(deep, "data.mdb"), join(layout.pki, "ca.key"), layout.kubeconfig, layout.settings, layout.log];
	for (const file of files) writeFileSync(file, "secret", { mode: 0o666 });
	protectData(layout);
	for (const path of [layout.data, layout.pki, layout.store, deep, layout.sockets])
		expect(mode(path), path).toBe("700");
	for (const file of files) expect(mode(file), file).toBe("600");
});

test("a link in the data directory does not lead to a change outside", () => {
	const layout = layoutOf(join(folder, "data"));
	const outside = join(folder, "outside");
	writeFileSync(outside, "", { mode: 0o644 });
	mkdirSync(layout.pki, { recursive: true });
	symlinkSync(outside, join(layout.pki, "link"));
	protectData(layout);
	expect(mode(outside)).toBe("644");
});

test("a folder below one that everyone may write is refused, unless only owners may delete in there", () => {
	const open = join(folder, "open");
	mkdirSync(open, { mode: 0o777 });
	expect(() => ensurePrivateFolder(join(open, "data"))).toThrow(
		`${open} may be written by everyone, who could replace`,
	);
	chmodSync(open, 0o1777);
	ensurePrivateFolder(join(open, "data"));
});

test.skipIf(!isRoot)("a folder that belongs to another user is refused, and so is a file in it", () => {
	const layout = layoutOf(join(folder, "data"));
	mkdirSync(layout.data);
	chownSync(layout.data, 4711, 4711);
	expect(() => protectData(layout)).toThrow(/data belongs to user 4711, and this is .* run cox as its owner/);
	chownSync(layout.data, 0, 0);
	protectData(layout);
	writeFileSync(layout.settings, "{}");
	chownSync(layout.settings, 4711, 4711);
	expect(() => protectData(layout)).toThrow(/cluster.json belongs to user 4711/);
});

test("what is in the way of a folder is named", () => {
	writeFileSync(join(folder, "file"), "");
	expect(() => ensurePrivateFolder(join(folder, "file"))).toThrow(/EEXIST|is not a directory/);
});
