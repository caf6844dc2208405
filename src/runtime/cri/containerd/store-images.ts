/** Images of a private containerd: pulled into this machine's store by the rules of all nodes, and handed on from there. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import type { Clock } from "../../../core/time/clock.ts";
import { fullReference, repositoryName } from "../../../images/model/reference.ts";
import type { ImageEntry, ImageStore } from "../../../images/store/store.ts";
import { namesIn } from "../../../linux/if-there.ts";
import { ImageService, type PullFunction } from "../../process/images/image-service.ts";
import type { ImageTable } from "../../process/images/images.ts";
import { ImageError } from "../../runtime.ts";
import type { CriImages } from "../images.ts";
import type { CriClient } from "../wire/client.ts";
import { methods } from "../wire/methods.ts";
import { pauseImage } from "./pause-image.ts";

export interface StoreImagesOptions {
	client: CriClient;
	clock: Clock;
	store: ImageStore;
	/** Pulls into the store. */
	pull: PullFunction;
	/** Removes what is not used from the store. */
	removeUnused?: () => Promise<void>;
	pullsAtOnce: number;
	/** For notes of which containers use images; absolute. */
	directory: string;
}

export function storeImages({ client, ...options }: StoreImagesOptions): CriImages {
	const { store } = options;
	const service = new ImageService({ ...options, table: noPrograms, source: "registry" });
	const providing = new Map<string, Promise<string>>();

	const provide = async (name: string): Promise<string> => {
		const { image } = await client.call(methods.imageStatus, { image: { image: name } });
		if (image !== undefined) return name;
		await client.call(methods.pullImage, { image: { image: name } });
		await forgetRemoved();
		return name;
	};
	/** What the store has no more. Containers keep what they use. */
	const forgetRemoved = async () => {
		const { images } = await client.call(methods.listImages, {});
		for (const { id = "", repoTags = [], repoDigests = [] } of images) {
			if (repoTags.includes(pauseImage)) continue;
			const digests = repoDigests.map((text) => text.slice(text.indexOf("@") + 1));
			if (digests.some((digest) => store.find(digest) !== undefined)) continue;
			await client.call(methods.removeImage, { image: { image: id } }).catch(() => {});
		}
	};

	/** A file that is there as long as the container: the store keeps its image. */
	const proof = (id: string) => `${options.directory}/uses/${id}`;
	mkdirSync(`${options.directory}/uses`, { recursive: true });

	return {
		used({ id, config: { image, imageId } }) {
			const entry = store.find(imageId ?? image);
			writeFileSync(proof(id), "");
			if (entry !== undefined) store.use(entry.image.digest, id, proof(id), options.clock.now());
		},
		unused({ id }) {
			rmSync(proof(id), { force: true });
		},
		keepOnly(ids) {
			for (const id of namesIn(`${options.directory}/uses`)) if (!ids.includes(id)) rmSync(proof(id), { force: true });
		},
		async removeUnused() {
			await service.removeUnused();
			await forgetRemoved();
		},
		resolve: (image, wanted) => service.resolve(image, wanted),
		list: () => service.list(),
		async provide({ image, imageId }) {
			const entry = store.find(imageId ?? image);
			if (entry === undefined) throw new Error(`image ${image} has been removed from this machine's store`);
			const name = nameOf(image, entry);
			const running = providing.get(name) ?? provide(name).finally(() => providing.delete(name));
			providing.set(name, running);
			return running;
		},
	};
}

/** By digest, because tags move. */
function nameOf(image: string, { image: { digest } }: ImageEntry): string {
	const reference = fullReference(image);
	const repository = reference === undefined ? "coxswain.invalid/image" : repositoryName(reference);
	return `${repository}@${digest}`;
}

/** Programs of the machine are not run: a container has only what is in its image. */
const noPrograms: ImageTable = {
	find: () => undefined,
	programs: () => [],
	isReal: () => false,
	resolve(image) {
		throw new ImageError(
			"ErrImagePull",
			`image "${image}" cannot be this machine's own programs: nodes with containerd run images only`,
		);
	},
};
