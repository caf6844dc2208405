import { resolve } from "node:path";
import { ImageStore } from "../../images/store/store.ts";
import type { Layout } from "../files/layout.ts";
import { readSettings } from "../settings/settings.ts";
import { enterData } from "./data-directories.ts";

/**
 * The store of images of a cluster, whether it is running or not, or another one.
 * @param directory undefined: the cluster's
 * @throws Error if it cannot be used
 */
export function enterImageStore(layout: Layout, directory: string | undefined): ImageStore {
	if (directory !== undefined) return ImageStore.open(resolve(directory));
	const { imageStore } = readSettings(layout.settings) ?? {};
	if (imageStore !== undefined) return ImageStore.open(imageStore);
	enterData(layout.data);
	return ImageStore.open(layout.imageStore);
}
