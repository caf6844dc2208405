/** `cox images`: the store of images. Works whether the cluster is running or not. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { enterImageStore } from "../../cluster/data/image-store.ts";
import { homeDirectory } from "../../cluster/files/account.ts";
import type { Layout } from "../../cluster/files/layout.ts";
import { messageOf } from "../../core/errors.ts";
import { systemClock } from "../../core/time/clock.ts";
import { exportImages } from "../../images/archives/export.ts";
import { importImages } from "../../images/archives/import.ts";
import { type LayerProgress, machinePlatform, pullImage } from "../../images/pull.ts";
import { noRegistries, parseRegistries, type Registries } from "../../images/registry/registries-file.ts";
import { prune, type Removal, removeGarbage, removeImage, usedImages } from "../../images/store/prune.ts";
import type { ImageEntry, ImageStore } from "../../images/store/store.ts";
import { StoreWriter } from "../../images/store/store-writer.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { duration, say, sayJson, table } from "../options/output.ts";

interface Options {
	data?: string;
	imageStore?: string;
	json?: true;
	name?: string;
	output?: string;
	all?: true;
}

export function imagesCommand(): Command {
	const images = new Command("images").description("manage the images that containers run from");
	const add = (name: string, description: string) => {
		const command = clusterCommand(name, description).option(
			"--image-store <dir>",
			"the store (default: that of the cluster)",
		);
		images.addCommand(command);
		return command;
	};
	add("list", "list images")
		.option("--json", "print JSON")
		.action((options: Options) => list(opened(options).store, options));
	add("pull", "pull images")
		.argument("<image...>", "names, as in a pod")
		.action((names: string[], options: Options) => pull(opened(options), names));
	add("import", "import an archive of docker save, an OCI archive, or an OCI layout")
		.argument("<path>", "a file or a directory")
		.option("--name <image>", "the image's name, instead of those in the archive")
		.action((path: string, options: Options) => importFrom(opened(options).store, path, options));
	add("export", "write images to an archive that other tools can load")
		.argument("<image...>", "names or digests")
		.requiredOption("-o, --output <file>", "the archive")
		.action((names: string[], options: Options) => exportTo(opened(options).store, names, options));
	add("inspect", "print what an image says, as JSON")
		.argument("<image>", "a name or a digest")
		.action((name: string, options: Options) => sayJson(found(opened(options).store, name)));
	add("remove", "remove names of images; an image without names is deleted")
		.argument("<image...>", "names or digests")
		.action((names: string[], options: Options) => remove(opened(options).store, names));
	add("prune", "delete images that no container uses").action((options: Options) => pruneStore(opened(options).store));
	return images;
}

function opened(options: Options): { store: ImageStore; layout: Layout } {
	const layout = layoutFrom(options);
	return { layout, store: enterImageStore(layout, options.imageStore) };
}

function found(store: ImageStore, name: string): ImageEntry {
	const entry = store.find(name);
	if (entry === undefined) throw new Error(`there is no image ${name}; 'cox images list' lists all`);
	return entry;
}

function list(store: ImageStore, { json }: Options): void {
	const entries = store.list();
	if (json) {
		sayJson(entries);
		return;
	}
	const used = usedImages(store);
	const rows = entries.flatMap(({ image, names, repoDigests }) => {
		const tags = names.filter((name) => !name.includes("@"));
		const shown = tags.length > 0 ? tags : repoDigests.length > 0 ? repoDigests : ["<none>"];
		return shown.map((name) => [
			name,
			image.digest.slice(7, 19),
			size(image.sizeBytes),
			used.has(image.digest) ? "yes" : "",
		]);
	});
	if (rows.length === 0) say("no images");
	else
		say(
			table([["IMAGE", "DIGEST", "SIZE", "IN USE"], ...rows.sort((a, b) => String(a[0]).localeCompare(String(b[0])))]),
		);
}

async function pull({ store, layout }: { store: ImageStore; layout: Layout }, names: readonly string[]): Promise<void> {
	const clock = systemClock();
	const writer = new StoreWriter(store);
	const dockerDirectory = process.env.DOCKER_CONFIG || join(homeDirectory() ?? "/", ".docker");
	const abort = new AbortController();
	process.once("SIGINT", () => abort.abort(new Error("interrupted")));
	await writer.cleanUp();
	for (const image of names) {
		const begunMs = clock.monotonicMs();
		const progress = showProgress(image);
		const options = { writer, registries: () => registriesOf(layout), dockerDirectory, clock };
		const entry = await pullImage(options, {
			image,
			credentials: [],
			signal: abort.signal,
			progress: progress.report,
		}).finally(progress.end);
		const took = duration(clock.monotonicMs() - begunMs);
		say(`${image}: ${entry.repoDigests[0] ?? entry.image.digest}, ${size(entry.image.sizeBytes)} in ${took}`);
	}
	await writer.settle();
}

function registriesOf({ registries }: Layout): Registries {
	if (!existsSync(registries)) return noRegistries;
	try {
		return parseRegistries(readFileSync(registries, "utf8"));
	} catch (error) {
		throw new Error(`${registries}: ${messageOf(error)}`);
	}
}

/** One line, which is overwritten; nothing without a terminal. */
function showProgress(image: string): { report(layer: LayerProgress): void; end(): void } {
	if (!process.stderr.isTTY) return { report: () => {}, end: () => {} };
	const layers = new Map<string, LayerProgress>();
	return {
		report(layer) {
			layers.set(layer.digest, layer);
			const all = [...layers.values()];
			const sum = (of: (one: LayerProgress) => number) => all.reduce((total, one) => total + of(one), 0);
			const done = all.filter(({ state }) => state === "done" || state === "present").length;
			const bytes = `${size(sum((one) => one.receivedBytes))} of ${size(sum((one) => one.sizeBytes))}`;
			process.stderr.write(`\r\u001b[K${image}: ${done} of ${all.length} layers, ${bytes}`);
		},
		end: () => process.stderr.write("\r\u001b[K"),
	};
}

async function importFrom(store: ImageStore, path: string, { name }: Options): Promise<void> {
	const writer = new StoreWriter(store);
	const options = { writer, platform: machinePlatform(), nowMs: systemClock().now() };
	const entries = await importImages(path, { ...options, ...(name === undefined ? {} : { name }) });
	for (const { image, names } of entries) say(`${names[0] ?? image.digest}: ${size(image.sizeBytes)}`);
	await writer.settle();
}

async function exportTo(store: ImageStore, names: readonly string[], { output = "" }: Options): Promise<void> {
	await exportImages(
		store,
		names.map((name) => found(store, name)),
		output,
	);
	say(`${output}: ${names.join(", ")}`);
}

async function remove(store: ImageStore, names: readonly string[]): Promise<void> {
	const options = { nowMs: systemClock().now(), leastAgeMs: 0 };
	for (const name of names) sayRemoval(await removeImage(new StoreWriter(store), name, options));
}

async function pruneStore(store: ImageStore): Promise<void> {
	const writer = new StoreWriter(store);
	const options = { nowMs: systemClock().now(), leastAgeMs: 0 };
	await writer.cleanUp();
	const removal = await prune(writer, options);
	sayRemoval({ ...removal, bytes: removal.bytes + (await removeGarbage(writer, options)) });
}

function sayRemoval({ images, names, bytes }: Removal): void {
	for (const name of names) say(`removed ${name}`);
	const count = images.length === 1 ? "1 image" : `${images.length} images`;
	say(images.length === 0 && bytes === 0 ? "no image was deleted" : `deleted ${count}, ${size(bytes)}`);
}

/** In powers of 1000, as registries count: `4.2 MB`. */
function size(bytes: number): string {
	const units = ["B", "kB", "MB", "GB", "TB"];
	let value = bytes;
	let unit = 0;
	for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
	return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
