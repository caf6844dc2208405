/** Malicious snapshots, and other files in their place. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openClusterStore } from "../data/cluster-store.ts";
import { type Layout, layoutOf } from "../files/layout.ts";
import { protectData } from "../files/private-folder.ts";
import { verifySnapshot } from "./check.ts";
import { finishRestore } from "./finish.ts";
import { restoreSnapshot } from "./restore.ts";
import { saveSnapshot } from "./save.ts";
import { removeLeftovers, scratchFolder } from "./scratch.ts";

let folder: string;
let file: string;
let layout: Layout;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "hostile-"));
	file = join(folder, "snapshot");
	layout = layoutOf(join(folder, "data"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const sound = { clusterId: "a", revision: 1, createdAt: "2026-01-01T00:00:00Z", version: "0.1.0", withKeys: true };
const entry = (path: unknown, content = "") => ({ path, bytes: content.length, digest: sha256(content) });

function write(header: unknown, content = ""): void {
	const head = `coxswain-snapshot 1\n${JSON.stringify(header)}\n`;
	writeFileSync(file, `${head}${sha256(head)}\n${content}`);
}

test.each<[string, unknown]>([
	["nothing", null],
	["a list", []],
	["no files", sound],
	["files that are no list", { ...sound, files: { length: 1 } }],
	["a file that is none", { ...sound, files: [null] }],
	["a size that is negative", { ...sound, files: [{ ...entry("cluster.json"), bytes: -1 }] }],
	["a size beyond all numbers", { ...sound, files: [{ ...entry("cluster.json"), bytes: 1e300 }] }],
	["a size that is no number", { ...sound, files: [{ ...entry("cluster.json"), bytes: "1" }] }],
	["a file twice", { ...sound, files: [entry("cluster.json"), entry("cluster.json")] }],
	["texts for a terminal", { ...sound, files: [], createdAt: "\u001b[2J" }],
	["a revision that is none", { ...sound, files: [], revision: "9" }],
])("a header with %s is refused", async (_, header) => {
	write(header);
	await expect(verifySnapshot(file, folder)).rejects.toThrow("its header is not one that cox writes");
});

test.each([
	"/etc/passwd",
	"../outside",
	"store/../../outside",
	"./cluster.json",
	"pki//x",
	"pki/..",
	"pki/a/b",
	"restore.ready/x",
	"nodes/node-1/x",
	"kubeconfig",
	"server.pid",
])("a file at %s is refused", async (path) => {
	write({ ...sound, files: [entry(path, "x")] }, "x");
	await expect(restoreSnapshot(layout, file, { force: false })).rejects.toThrow("it has a file that no cluster has");
	expect(existsSync(layout.data)).toBe(false);
});

test("keys in a snapshot that says it has none are refused", async () => {
	write({ ...sound, withKeys: false, files: [entry("pki/ca.key", "x")] }, "x");
	await expect(verifySnapshot(file, folder)).rejects.toThrow("it has a file that no cluster has");
});

test("a store that is none is refused, and so is one that is missing", async () => {
	write({ ...sound, files: [entry("store/store/data.mdb", "x".repeat(9000))] }, "x".repeat(9000));
	await expect(restoreSnapshot(layout, file, { force: false })).rejects.toThrow(/damaged/);
	write({ ...sound, files: [] });
	await expect(restoreSnapshot(layout, file, { force: false })).rejects.toThrow(/has no store/);
	expect(existsSync(layout.data)).toBe(false);
});

test("what is no file is not read: directories, devices, FIFOs that nobody writes to", async () => {
	spawnSync("mkfifo", [join(folder, "fifo")]);
	for (const path of [folder, "/dev/zero", join(folder, "fifo")])
		await expect(verifySnapshot(path, folder)).rejects.toThrow("is not a file");
});

test("saving replaces an earlier snapshot, and nothing else", async () => {
	protectData(layout);
	await (
		await openClusterStore(layout, { encryptionFile: undefined, lastEncryption: undefined, flush: false })
	).disk.close();
	const refused = async (path: string, message: RegExp) => {
		const before = existsSync(path) ? readdirSync(folder) : undefined;
		await expect(saveSnapshot(layout, path, true)).rejects.toThrow(message);
		if (before !== undefined) expect(readdirSync(folder)).toEqual(before);
	};
	await saveSnapshot(layout, file, true);
	await saveSnapshot(layout, file, false);
	expect((await verifySnapshot(file, folder)).header.withKeys).toBe(false);
	symlinkSync(file, join(folder, "link"));
	spawnSync("mkfifo", [join(folder, "fifo")]);
	writeFileSync(join(folder, "other"), "of value");
	for (const path of [folder, join(folder, "link"), join(folder, "fifo"), "/dev/full"])
		await refused(path, /not a regular file/);
	await refused(join(folder, "other"), /not a cox snapshot/);
	await refused(join(folder, "nowhere", "file"), /there is no directory/);
	expect(readFileSync(join(folder, "other"), "utf8")).toBe("of value");
});

test("copies that a killed command left behind are removed by the next, and by the next start", () => {
	const { pid: ended } = spawnSync("true");
	const leave = () => {
		mkdirSync(join(folder, `snapshot-${ended}-a`), { recursive: true });
		writeFileSync(join(folder, `snapshot-${ended}-a`, "key"), "");
	};
	mkdirSync(join(folder, `snapshot-${process.ppid}-b`));
	mkdirSync(join(folder, "snapshot-mine"));
	leave();
	{
		using scratch = scratchFolder(folder, "snapshot-");
		expect(readdirSync(folder).sort()).toEqual(
			[scratch.path.slice(folder.length + 1), `snapshot-${process.ppid}-b`, "snapshot-mine"].sort(),
		);
	}
	leave();
	finishRestore({ ...layout, data: folder });
	expect(readdirSync(folder).sort()).toEqual([`snapshot-${process.ppid}-b`, "snapshot-mine"].sort());
	removeLeftovers(folder, "none-");
});
