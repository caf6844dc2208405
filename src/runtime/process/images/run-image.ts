/** What a container takes from its image: from one of the store, or from the table of this machine's programs. */
import { ImageFiles, type LayerFiles } from "../../../images/store/image-files.ts";
import type { ImageEntry, ImageStore } from "../../../images/store/store.ts";
import { type Accounts, machineAccounts, parseAccounts } from "../launcher/accounts.ts";
import type { RunFiles } from "../launcher/image-root.ts";
import type { VolumeFiles } from "../launcher/volumes.ts";
import { containerPath, type ImageTable } from "./images.ts";

export interface RunImage {
	/** `Image.id` */
	id: string;
	entrypoint: readonly string[];
	args: readonly string[];
	env: readonly (readonly [string, string])[];
	workingDir: string;
	/** `USER`, `UID:GROUP`, or empty for root. */
	user: string;
	accounts: Accounts;
	stopSignal?: string;
	/** Absent: the machine's files. */
	files?: RunFiles;
}

/** @throws Error if a layer is missing */
export function storedRunImage(store: ImageStore, entry: ImageEntry): RunImage {
	const { image } = entry;
	const { config } = image;
	const env = new Map([["PATH", defaultPath]]);
	for (const setting of config.env)
		env.set(setting.slice(0, setting.indexOf("=")), setting.slice(setting.indexOf("=") + 1));
	return {
		id: imageId(entry),
		entrypoint: config.entrypoint,
		args: config.command,
		env: [...env],
		workingDir: config.workingDir || "/",
		user: config.user,
		accounts: parseAccounts(image.passwd, image.group),
		...(config.stopSignal === "" ? {} : { stopSignal: config.stopSignal }),
		files: {
			image: image.digest,
			layers: visible(layersOf(store, entry)).map(({ directory }) => directory),
			directories: image.directories,
			volumes: config.volumes.filter((path) => path.startsWith("/") && !/^\/(proc|sys|dev)?(\/|$)/.test(path)),
		},
	};
}

/**
 * The same of an image that is a volume.
 * @param id of the volume's mounts
 * @throws Error if a layer is missing
 */
export function storedVolumeFiles(
	store: ImageStore,
	entry: ImageEntry,
	id: string,
	subPaths: readonly string[],
): VolumeFiles {
	const layers = visible(layersOf(store, entry));
	const files = new ImageFiles(layers);
	return {
		id,
		image: entry.image.digest,
		layers: layers.map(({ directory }) => directory),
		fileSubPaths: subPaths.filter((path) => path !== "" && files.isFile(path)),
	};
}

/** Lowest first. */
function layersOf(store: ImageStore, { image }: ImageEntry): LayerFiles[] {
	return image.layers.map(({ diffId }) => {
		const layer = store.layer(diffId);
		if (layer === undefined) throw new Error(`a layer of image ${image.digest} is missing`);
		return layer;
	});
}

/** Without those that a layer above hides completely. */
function visible(layers: readonly LayerFiles[]): readonly LayerFiles[] {
	return layers.slice(
		Math.max(
			0,
			layers.findLastIndex(({ opaque }) => opaque.includes("")),
		),
	);
}

/** As engines report it: with the registry's digest if there is one. */
export function imageId({ image, repoDigests }: ImageEntry): string {
	return repoDigests[0] ?? image.digest;
}

/** Of images that set none, as engines. */
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** @throws ImageError */
export function machineRunImage(table: ImageTable, image: string): RunImage {
	const entry = table.find(image);
	return {
		id: table.resolve(image, { pullPolicy: "", hasCommand: true }).id,
		entrypoint: entry?.entrypoint ?? [],
		args: entry?.args ?? [],
		env: [["PATH", containerPath], ...Object.entries(entry?.env ?? {})],
		workingDir: entry?.workingDir ?? "/",
		user: entry?.user ?? "",
		accounts: machineAccounts(),
	};
}
