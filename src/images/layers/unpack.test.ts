/** Layers, also hostile ones, are unpacked into a directory and nowhere else. */
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import { isRootless } from "../store/store.ts";
import { type BuildEntry, digestOf, dir, file, link, tarOf } from "../testing/image-builder.ts";
import { unpackLayer } from "./unpack.ts";

const rootless = isRootless();
let directory: string;
beforeEach(() => {
	directory = mkdtempSync(`${tmpdir()}/cox-layer-`);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function unpack(
	layer: Buffer,
	changes: { packed?: Buffer; diffId?: string; chunk?: number; harmlessBytes?: number } = {},
) {
	const { packed = layer, diffId = digestOf(layer), chunk = 7000, ...rest } = changes;
	const source = (async function* () {
		for (let at = 0; at < packed.length; at += chunk) yield packed.subarray(at, at + chunk);
	})();
	return unpackLayer({ directory, source, diffId, rootless, compressedBytes: packed.length, ...rest });
}
const unpacked = (...entries: BuildEntry[]) => unpack(tarOf(entries));
const isWhiteout = (path: string) => lstatSync(`${directory}/${path}`).isCharacterDevice();

it("writes files, links and modes, whatever their names", async () => {
	const deep = Array.from({ length: 8 }, (_, at) => `${at}${"p".repeat(90)}`).join("/");
	const facts = await unpacked(
		dir("d", 0o700),
		file("d/ä ö\\ü\n", "text", 0o640),
		{ name: "d/hard", type: "1", link: "/d/ä ö\\ü\n" },
		link("d/absolute", "/etc/passwd"),
		link("d/up", "../../../../etc/passwd"),
		{ name: "d/fifo", type: "6", mode: 0o600 },
		file(`${deep}/file`, "deep"),
		file("/rooted", "inside"),
	);
	expect(readFileSync(`${directory}/d/hard`, "utf8")).toBe("text");
	expect(lstatSync(`${directory}/d/hard`)).toMatchObject({ nlink: 2, mode: 0o100640 });
	expect(readlinkSync(`${directory}/d/up`)).toBe("../../../../etc/passwd");
	expect(lstatSync(`${directory}/d/fifo`).isFIFO()).toBe(true);
	expect(readFileSync(`${directory}/${deep}/file`, "utf8")).toBe("deep");
	expect(readFileSync(`${directory}/rooted`, "utf8")).toBe("inside");
	expect(facts.implied).toHaveLength(8);
});

it("turns whiteouts into what overlayfs knows, and knows what was removed and added again", async () => {
	const facts = await unpacked(
		dir("a"),
		file("a/.wh.gone"),
		file(".wh.again"),
		file("again", "new"),
		file(".wh.tree"),
		dir("tree"),
		dir("opaque"),
		file("opaque/.wh..wh..opq"),
		file(".wh..wh.plnk"),
		file("b/.wh.c"),
	);
	expect(isWhiteout("a/gone")).toBe(true);
	expect(isWhiteout("b/c")).toBe(true);
	expect(readFileSync(`${directory}/again`, "utf8")).toBe("new");
	expect(readdirSync(directory).sort()).toEqual(["a", "again", "b", "opaque", "tree"]);
	expect(facts.opaque.sort()).toEqual(["opaque", "tree"]);
	expect(facts.implied).toEqual(["b"]);
	const name = `${rootless ? "user" : "trusted"}.overlay.opaque`;
	const read = `import os; print(os.getxattr("${directory}/opaque", "${name}").decode())`;
	expect(spawnSync("python3", ["-c", read], { encoding: "utf8" }).stdout).toBe("y\n");
});

it("keeps sparse files sparse", async () => {
	const folder = mkdtempSync(`${tmpdir()}/cox-sparse-`);
	try {
		spawnSync(
			"sh",
			[
				"-c",
				"truncate -s 50M holes && printf end >>holes && tar -cSf gnu.tar --format=gnu holes && tar -cSf pax.tar --format=pax holes",
			],
			{ cwd: folder },
		);
		for (const name of ["gnu.tar", "pax.tar"]) {
			await unpack(readFileSync(`${folder}/${name}`));
			const { size, blocks } = lstatSync(`${directory}/holes`);
			expect([size, blocks < 1000], name).toEqual([50 * 2 ** 20 + 3, true]);
			rmSync(`${directory}/holes`);
		}
	} finally {
		rmSync(folder, { recursive: true });
	}
});

it("unpacks gzip and zstd", async () => {
	const layer = tarOf([file("x", "content".repeat(10_000))]);
	await unpack(layer, { packed: gzipSync(layer) });
	expect(readFileSync(`${directory}/x`).length).toBe(70_000);
	rmSync(`${directory}/x`);
	const { stdout } = spawnSync("zstd", ["-c"], { input: layer });
	await unpack(layer, { packed: stdout, chunk: 100 });
	expect(readFileSync(`${directory}/x`).length).toBe(70_000);
});

it.each<[string, string, BuildEntry[]]>([
	["paths that lead up", "a path that leads out", [file("../up")]],
	["paths that lead up and down again", "a path that leads out", [file("a/../../up")]],
	["hard links that lead out", "a hard link that leads out", [{ name: "x", type: "1", link: "../../etc/passwd" }]],
	["files behind links", "cannot be unpacked", [link("d", "/tmp"), file("d/escaped")]],
	["files behind chains of links", "cannot be unpacked", [link("a", ".."), link("b", "a/.."), file("b/escaped")]],
	["hard links to nothing", "cannot be unpacked", [{ name: "x", type: "1", link: "etc/passwd" }]],
	[
		"attributes of overlayfs",
		"an attribute of overlayfs",
		[{ ...dir("d"), xattrs: new Map([["trusted.overlay.redirect", Buffer.from("/etc")]]) }],
	],
	["whiteouts of nothing", "hides a path that is none", [file("d/.wh...")]],
	["a root that is a file", "replaces its own root", [file(".")]],
	["owners that are none", "an owner that is none", [{ ...file("x"), uid: 2 ** 32 }]],
])("refuses %s", async (_what, message, entries) => {
	await expect(unpacked(...entries)).rejects.toThrow(message);
	expect(existsSync("/tmp/escaped")).toBe(false);
});

it("leaves device nodes out, also those that would hide files of lower layers", async () => {
	await unpacked({ name: "null", type: "3" }, { name: "disk", type: "4" }, file("x"));
	expect(readdirSync(directory)).toEqual(["x"]);
});

it("refuses what is damaged, cut off, or not what its digest says", async () => {
	const layer = tarOf([file("x", "content".repeat(1000))]);
	await expect(unpack(layer, { diffId: digestOf("other") })).rejects.toThrow("is not what the image says");
	await expect(unpack(layer.subarray(0, 3000))).rejects.toThrow("cut off");
	const packed = gzipSync(layer);
	await expect(unpack(layer, { packed: packed.subarray(0, packed.length - 20) })).rejects.toThrow(
		"the layer is damaged",
	);
	await expect(unpack(Buffer.from("no archive".repeat(100)))).rejects.toThrow("not a valid tar archive");
});

it("refuses gigabytes of zeros", async () => {
	const packed = gzipSync(Buffer.alloc(8 << 20));
	const header = gzipSync(tarOf([{ ...file("zeros"), size: 7 * 2 ** 30 }]).subarray(0, 512));
	// A gzip file may have several parts.
	const bomb = Buffer.concat([header, ...Array.from({ length: 20 }, () => packed)]);
	await expect(unpack(Buffer.alloc(0), { packed: bomb, harmlessBytes: 16 << 20 })).rejects.toThrow(
		/bytes when unpacked/,
	);
	expect(readdirSync(directory).length).toBeLessThanOrEqual(1);
});

it("refuses directories that are deeper than any real ones", async () => {
	await expect(unpacked(file(`${"a/".repeat(300)}x`))).rejects.toThrow("with over 256 parts");
	expect(readdirSync(directory)).toEqual([]);
});
