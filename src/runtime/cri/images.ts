/** Images of a CRI runtime. */
import type { Container, ContainerConfig, Image, ImageWanted } from "../runtime.ts";

export interface CriImages {
	/** See `Runtime.resolveImage`. @throws ImageError */
	resolve(image: string, wanted: ImageWanted): Promise<Image>;
	/**
	 * Has the runtime get the image of a container that `resolve` has found, if it does not have it yet.
	 * @returns the name by which the runtime knows it
	 * @throws Error if it has been removed in the meantime
	 */
	provide(config: Pick<ContainerConfig, "image" | "imageId">): Promise<string>;
	/** A container was made of its image, or removed; absent: the runtime knows itself what is used. */
	used?(container: Container): void;
	unused?(container: Pick<Container, "id" | "config">): void;
	/** Of all containers that were there once, only these are left. */
	keepOnly?(ids: readonly string[]): void;
	/** See `Runtime.removeUnusedImages`. */
	removeUnused(): Promise<void>;
	/** See `Runtime.images`. */
	list(): readonly { names: readonly string[]; sizeBytes: number }[];
}
