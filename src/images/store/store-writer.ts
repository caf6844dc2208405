/** Adds to a store. Several processes may do so at the same time: the first complete file or directory stays. */
import { randomUUID } from "node:crypto";
import {
	chmodSync,
	closeSync,
	existsSync,
	fsyncSync,
	mkdirSync,
	openSync,
	renameSync,
	rmSync,
	writeFileSync,
	writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { run } from "../../linux/command.ts";
import { isCode } from "../../linux/descriptors.ts";
import { namesIn, readIfThere } from "../../linux/if-there.ts";
import { identify, isAlive } from "../../linux/processes.ts";
import { unpackLayer } from "../layers/unpack.ts";
import { verified } from "../model/verified.ts";
import { ImageFiles } from "./image-files.ts";
import { withLayerLock } from "./layer-lock.ts";
import { storeFile } from "./layout.ts";
import {
	bootId,
	type ImageStore,
	type LayerRecord,
	onDisk,
	type StoredImage,
	type StoredLayer,
	type StoredName,
} from "./store.ts";

const longestRemovalMs = 600_000;
const longestSyncMs = 300_000;
const longestAccounts = 4 << 20;
/** Of one name, the latest first. */
const mostCredentials = 100;

export class StoreWriter {
	readonly store: ImageStore;

	constructor(store: ImageStore) {
		this.store = store;
	}

	/** Deletes what processes that were killed have left. */
	async cleanUp(): Promise<void> {
		const folder = join(this.store.directory, "tmp");
		const left = namesIn(folder).filter((name) => {
			const [pid, startTime = ""] = name.split("-");
			return !isAlive({ pid: Number(pid), startTime });
		});
		await this.remove(left.map((name) => join(folder, name)));
	}

	/** A path in `tmp/` of this process. */
	temporary(): string {
		const startTime = identify(process.pid)?.startTime ?? "0";
		return join(this.store.directory, "tmp", `${process.pid}-${startTime}-${randomUUID()}`);
	}

	/** Adds a blob that is in memory. */
	addBlob(digest: string, body: Buffer): void {
		this.#place(storeFile.blob(this.store.directory, digest), body);
	}

	/**
	 * Adds a layer: its blob and its files, in one pass. Nothing is done for what is there, or what another process adds
	 * in the meantime.
	 * @param source the blob, which is verified here
	 */
	async addLayer(layer: StoredLayer, source: () => AsyncIterable<Buffer>, signal: AbortSignal): Promise<void> {
		if (this.#hasLayer(layer)) return;
		await withLayerLock(this.store.directory, layer.diffId, signal, async () => {
			if (!this.#hasLayer(layer)) await this.#addLayer(layer, source);
		});
	}

	#hasLayer({ diffId, digest }: StoredLayer): boolean {
		return this.store.layer(diffId) !== undefined && existsSync(storeFile.blob(this.store.directory, digest));
	}

	/**
	 * Makes an image known, whose blobs and layers are there.
	 * @returns undefined if a layer was removed in the meantime
	 */
	async addImage(image: Omit<StoredImage, "passwd" | "group" | "directories">): Promise<StoredImage | undefined> {
		const { directory, rootless } = this.store;
		const layers = image.layers.map(({ diffId }) => this.store.layer(diffId));
		if (layers.includes(undefined)) return undefined;
		const files = new ImageFiles(layers.flatMap((layer) => layer ?? []));
		const directories = files.directoriesToRepair();
		const stored: StoredImage = {
			...image,
			passwd: files.text("/etc/passwd", longestAccounts) ?? "",
			group: files.text("/etc/group", longestAccounts) ?? "",
			// Without root, there is one owner.
			directories: rootless ? directories.map((entry) => ({ ...entry, uid: 0, gid: 0 })) : directories,
		};
		this.#place(storeFile.image(directory, image.digest), JSON.stringify(stored));
		return image.layers.every(({ diffId }) => this.store.layer(diffId) !== undefined) ? stored : undefined;
	}

	/**
	 * Writes everything to the disk. Layers for which this was not done are not used after a crash of the machine, which
	 * may have damaged them; pods do not wait for it.
	 */
	async settle(): Promise<void> {
		const { directory } = this.store;
		const layers = namesIn(join(directory, "layers")).map((name) => join(directory, "layers", name));
		const unsettled = layers.filter((layer) => !existsSync(join(layer, onDisk)));
		const [mine, others] = [unsettled.filter(isOfThisBoot), unsettled.filter((layer) => !isOfThisBoot(layer))];
		await this.discard(others);
		if (mine.length === 0) return;
		await run(["sync", "-f", directory], { timeoutMs: longestSyncMs });
		for (const layer of mine) if (existsSync(layer)) writeFileSync(join(layer, onDisk), "", { flush: true });
	}

	/**
	 * Gives an image of the store a name; another image with this name loses it. Whoever may use the image by this name
	 * may still do so.
	 */
	name(name: StoredName): void {
		const path = storeFile.name(this.store.directory, name.name);
		const { credentials, ...open } = name;
		const before = this.store.named(name.name);
		const known = before?.image === name.image ? before : undefined;
		const isOpen = credentials === undefined || (known !== undefined && known.credentials === undefined);
		const all = [...new Set([...(credentials ?? []), ...(known?.credentials ?? [])])].slice(0, mostCredentials);
		this.#place(path, JSON.stringify(isOpen ? open : { ...open, credentials: all }), { replace: true });
	}

	/** Deletes paths of the store, at once and completely. */
	async remove(paths: readonly string[]): Promise<void> {
		if (paths.length === 0) return;
		// In a user namespace, files without permissions can be deleted, too.
		const command = this.store.rootless ? ["unshare", "--user", "--map-root-user", "rm"] : ["rm"];
		const [program = "rm", ...args] = command;
		await run([program, ...args, "-rf", "--", ...paths], { timeoutMs: longestRemovalMs });
	}

	/** Moves what must not be found any more away, and deletes it. */
	async discard(paths: readonly string[]): Promise<void> {
		const moved = paths.flatMap((path) => {
			const target = `${this.temporary()}-${basename(path)}`;
			try {
				renameSync(path, target);
				return [target];
			} catch (error) {
				if (isCode(error, "ENOENT")) return [];
				throw error;
			}
		});
		await this.remove(moved);
	}

	async #addLayer(layer: StoredLayer, source: () => AsyncIterable<Buffer>): Promise<void> {
		const { directory, rootless } = this.store;
		const draft = this.temporary();
		const target = storeFile.layer(directory, layer.diffId);
		const files = join(draft, "files");
		mkdirSync(files, { recursive: true, mode: 0o700 });
		// The root of a layer that does not describe it is open to all users of the container.
		chmodSync(files, 0o755);
		try {
			const blob = join(draft, "blob");
			const facts = await unpackLayer({
				directory: files,
				source: written(verified(source(), layer), blob),
				diffId: layer.diffId,
				rootless,
				compressedBytes: layer.size,
			});
			writeFileSync(join(draft, "layer.json"), JSON.stringify({ ...facts, boot: bootId() } satisfies LayerRecord), {
				mode: 0o600,
				flush: true,
			});
			renameSync(blob, storeFile.blob(directory, layer.digest));
			if (existsSync(target) && this.store.layer(layer.diffId) === undefined) await this.discard([target]);
			renameUnlessThere(draft, target);
		} finally {
			if (existsSync(draft)) await this.remove([draft]).catch(() => {});
		}
	}

	#place(path: string, content: string | Buffer, { replace = false } = {}): void {
		if (!replace && existsSync(path)) return;
		const draft = this.temporary();
		try {
			writeFileSync(draft, content, { mode: 0o600, flush: true });
			renameSync(draft, path);
			syncFolder(dirname(path));
		} catch (error) {
			rmSync(draft, { force: true });
			throw error;
		}
	}
}

/** Writes a blob to a file on its way. */
async function* written(source: AsyncIterable<Buffer>, file: string): AsyncGenerator<Buffer> {
	const fd = openSync(file, "wx", 0o600);
	try {
		for await (const chunk of source) {
			for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
			yield chunk;
		}
		fsyncSync(fd);
	} finally {
		closeSync(fd);
	}
}

function isOfThisBoot(layer: string): boolean {
	return readIfThere(join(layer, "layer.json"))?.includes(bootId()) === true;
}

function renameUnlessThere(from: string, to: string): void {
	try {
		renameSync(from, to);
	} catch (error) {
		if (!isCode(error, "EEXIST", "ENOTEMPTY")) throw error;
	}
}

function syncFolder(folder: string): void {
	const fd = openSync(folder, "r");
	try {
		fsyncSync(fd);
	} finally {
		closeSync(fd);
	}
}
