import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../core/time/clock.ts";
import { mediaTypes } from "../model/manifest.ts";
import { machinePlatform } from "../pull.ts";
import { collectImages, isCollectionDue, prune, removeImage, usedImages } from "../store/prune.ts";
import { ImageStore } from "../store/store.ts";
import { StoreWriter } from "../store/store-writer.ts";
import { type BuildEntry, type BuiltImage, dir, file, imageOf, json, link, tarOf } from "../testing/image-builder.ts";
import { exportImages } from "./export.ts";
import { importImages } from "./import.ts";

let directory: string;
let writer: StoreWriter;
beforeEach(() => {
	directory = mkdtempSync(`${tmpdir()}/cox-archives-`);
	writer = new StoreWriter(ImageStore.open(`${directory}/store`));
});
afterEach(() => writer.remove([directory]));

const options = () => ({ writer, platform: machinePlatform(), nowMs: 1_000_000 });
const layer = tarOf([dir("d"), file("d/x", "content")]);
const image = imageOf([layer, tarOf([file("y")])], { Cmd: ["x"] });
const blobPath = (digest: string) => `blobs/${digest.replace(":", "/")}`;
const blobs = ({ manifest, config, layers }: BuiltImage) =>
	[manifest, config, ...layers].map(({ digest, body }) => file(blobPath(digest), body));
const index = ({ manifest: { mediaType, digest, size } }: BuiltImage, name: string) =>
	json({
		schemaVersion: 2,
		mediaType: mediaTypes.ociIndex,
		manifests: [{ mediaType, digest, size, annotations: { "org.opencontainers.image.ref.name": name } }],
	});
const archive = (entries: readonly BuildEntry[]) => {
	writeFileSync(`${directory}/archive.tar`, gzipSync(tarOf(entries)));
	return `${directory}/archive.tar`;
};

it("adds images of docker save, whose layers may be links to others", async () => {
	const entries = [
		file("config.json", image.config.body),
		file("a/layer.tar", layer),
		link("b/layer.tar", "../a/layer.tar"),
		file(
			"manifest.json",
			json([{ Config: "config.json", RepoTags: ["app:1"], Layers: ["b/layer.tar", "c/layer.tar"] }]),
		),
		file("c/layer.tar", tarOf([file("y")])),
	];
	await importImages(archive(entries), options());
	expect(writer.store.find("app:1")?.image.config.command).toEqual(["x"]);
	expect(writer.store.find("docker.io/library/app:1")?.image.layers).toHaveLength(2);
	expect(readdirSync(`${directory}/store/tmp`)).toEqual([]);
});

it("adds images of OCI archives and layouts, by the names in them or another", async () => {
	await importImages(archive([file("index.json", index(image, "r.example/app:1")), ...blobs(image)]), options());
	expect(writer.store.find("r.example/app:1")?.image.digest).toBe(image.manifest.digest);
	const layout = `${directory}/layout`;
	mkdirSync(`${layout}/blobs/sha256`, { recursive: true });
	writeFileSync(`${layout}/index.json`, index(image, "latest"));
	for (const { name, content = "" } of blobs(image)) writeFileSync(`${layout}/${name}`, content);
	await importImages(layout, { ...options(), name: "mine" });
	expect(writer.store.find("mine:latest")?.image.digest).toBe(image.manifest.digest);
	expect(writer.store.list()).toHaveLength(1);
});

it("refuses archives that are none, damaged, or lead out", async () => {
	await expect(importImages(archive([file("x")]), options())).rejects.toThrow(
		"neither an index.json nor a manifest.json",
	);
	const wrong = blobs(image).map((entry) => ({
		...entry,
		content: Buffer.concat([Buffer.from(entry.content ?? ""), Buffer.from(" ")]),
	}));
	await expect(importImages(archive([file("index.json", index(image, "a:1")), ...wrong]), options())).rejects.toThrow(
		"is damaged",
	);
	const names = json([{ Config: "../../../../etc/passwd", Layers: [] }]);
	await expect(importImages(archive([file("manifest.json", names)]), options())).rejects.toThrow("which is missing");
	await importImages(
		archive([file("../../escaped", "x"), file("index.json", index(image, "a:1")), ...blobs(image)]),
		options(),
	);
	expect(existsSync(`${directory}/../escaped`)).toBe(false);
});

it("writes what it reads, with the same digests", async () => {
	const [entry] = await importImages(
		archive([file("index.json", index(image, "r.example/app:1")), ...blobs(image)]),
		options(),
	);
	if (entry === undefined) throw new Error("nothing imported");
	const exported = `${directory}/exported.tar`;
	await exportImages(writer.store, [entry], exported);
	await removeImage(writer, "r.example/app:1", { nowMs: Number.MAX_SAFE_INTEGER, leastAgeMs: 0 });
	expect([
		writer.store.list(),
		...["layers", "blobs/sha256", "names"].map((name) => readdirSync(`${directory}/store/${name}`)),
	]).toEqual([[], [], [], []]);
	await importImages(exported, options());
	// Docker's manifest comes first, and knows no digest of the manifest.
	expect(writer.store.find("r.example/app:1")?.image.layers).toEqual(entry.image.layers);
	expect(readFileSync(exported).includes("io.containerd.image.name")).toBe(true);
});

it("removes names, then the image, and nothing that a container uses", async () => {
	await importImages(archive([file("index.json", index(image, "a.example/x:1")), ...blobs(image)]), options());
	await importImages(archive([file("index.json", index(image, "a.example/x:2")), ...blobs(image)]), options());
	const all = { nowMs: Number.MAX_SAFE_INTEGER, leastAgeMs: 0 };
	mkdirSync(`${directory}/container`);
	writer.store.use(image.manifest.digest, "container", `${directory}/container`, 1);
	expect(await removeImage(writer, "a.example/x:1", all)).toMatchObject({ images: [], names: ["a.example/x:1"] });
	await expect(removeImage(writer, "a.example/x:2", all)).rejects.toThrow("in use by a container");
	expect((await prune(writer, all)).images).toEqual([]);
	await writer.remove([`${directory}/container`]);
	expect(usedImages(writer.store).size).toBe(0);
	expect((await prune(writer, all)).images).toEqual([image.manifest.digest]);
	expect(readdirSync(`${directory}/store/layers`)).toEqual([]);
});

it("deletes images that were not used for long enough, however full the disk is", async () => {
	await importImages(archive([file("index.json", index(image, "a.example/x:1")), ...blobs(image)]), options());
	const rules = { high: 100, low: 100, leastAgeMs: 1000, mostAgeMs: 60_000 };
	const { directory: store } = writer.store;
	expect([isCollectionDue(store, rules), isCollectionDue(store, { ...rules, mostAgeMs: 0 })]).toEqual([true, false]);
	mkdirSync(`${directory}/container`);
	const nowMs = systemClock().now();
	writer.store.use(image.manifest.digest, "container", `${directory}/container`, nowMs);
	expect((await collectImages(writer, nowMs + 120_000, rules)).images).toEqual([]);
	writer.store.unuse(image.manifest.digest, "container", nowMs + 100_000);
	expect((await collectImages(writer, nowMs + 120_000, rules)).images).toEqual([]);
	expect((await collectImages(writer, nowMs + 160_000, rules)).images).toEqual([image.manifest.digest]);
});

it("does not use layers that a crash of the machine may have damaged", async () => {
	await importImages(archive([file("index.json", index(image, "a.example/x:1")), ...blobs(image)]), options());
	const layers = readdirSync(`${directory}/store/layers`).map((name) => `${directory}/store/layers/${name}`);
	const reboot = () => {
		for (const path of layers) {
			const record = JSON.parse(readFileSync(`${path}/layer.json`, "utf8"));
			writeFileSync(`${path}/layer.json`, JSON.stringify({ ...record, boot: "an earlier one" }));
		}
	};
	reboot();
	expect(writer.store.find("a.example/x:1")).toBeUndefined();
	await importImages(`${directory}/archive.tar`, options());
	expect(writer.store.find("a.example/x:1")).toBeDefined();
	await writer.settle();
	reboot();
	expect(writer.store.find("a.example/x:1")).toBeDefined();
});

it("cleans up after processes that were killed, and not after others", async () => {
	const tmp = `${directory}/store/tmp`;
	mkdirSync(`${tmp}/1-0-dead/files`, { recursive: true });
	writeFileSync(writer.temporary(), "");
	await writer.cleanUp();
	expect(readdirSync(tmp)).toHaveLength(1);
});
