/** Gets the image of a container: from the store, a registry, or the machine (see choose-source.ts). */

import type { Clock } from "../../../core/time/clock.ts";
import { type Credential, fingerprint } from "../../../images/credentials/credential.ts";
import type { FailureKind } from "../../../images/model/failure.ts";
import { fullReference } from "../../../images/model/reference.ts";
import { isLoopback } from "../../../images/registry/loopback.ts";
import type { ImageEntry, ImageStore } from "../../../images/store/store.ts";
import { parseImageReference } from "../../reference.ts";
import { type ContainerConfig, type Image, ImageError, type ImageWanted } from "../../runtime.ts";
import type { VolumeFiles } from "../launcher/volumes.ts";
import { chooseSource, type ImageSource, type MachineOffer } from "./choose-source.ts";
import type { ImageTable } from "./images.ts";
import { imageId, machineRunImage, type RunImage, storedRunImage, storedVolumeFiles } from "./run-image.ts";

/** Pulls an image into the store, from a process with the machine's network. Never rejects. */
export type PullFunction = (wish: PullWish, signal: AbortSignal) => Promise<PullResult>;

export interface PullWish {
	image: string;
	credentials: readonly Credential[];
	/** Absent: as long as usual. */
	connectMs?: number;
}

export type PullResult = { ok: true } | { ok: false; kind: FailureKind; message: string };

export interface ImageServiceOptions {
	table: ImageTable;
	clock: Clock;
	/** Absent: only the machine's programs run. */
	store?: ImageStore;
	pull?: PullFunction;
	/** Deletes images that no container uses. Never rejects. */
	removeUnused?: () => Promise<void>;
	/** Unless pods say otherwise. */
	source: ImageSource;
	/** Of this node. */
	pullsAtOnce: number;
}

/** Where something else can run, a registry that does not answer must not hold pods up. */
const shortConnectMs = 2000;
/** For how long a registry that could not be reached is not asked again, where something else can run. */
const unreachableMs = 60_000;

export class ImageService {
	readonly table: ImageTable;
	readonly store: ImageStore | undefined;
	readonly #options: ImageServiceOptions;
	/** By registry, when it could not be reached, on the monotonic clock. */
	readonly #unreachable = new Map<string, number>();
	readonly #waiting: (() => void)[] = [];
	#pulling = 0;

	constructor(options: ImageServiceOptions) {
		this.#options = options;
		this.table = options.table;
		this.store = options.store;
	}

	/** @throws ImageError */
	async resolve(image: string, wanted: ImageWanted): Promise<Image> {
		const reference = parseImageReference(image);
		const { store, pull } = this.#options;
		const source = store === undefined || pull === undefined ? "machine" : (wanted.source ?? this.#options.source);
		const pinned = reference.digest !== undefined;
		const { needsFiles = false } = wanted;
		if (needsFiles && source === "machine")
			throw new ImageError("ErrImagePull", `image "${image}" is not pulled with --images machine: ${volumeNeeds}`);
		const offer = needsFiles ? "nothing" : this.#offer(image, reference.registry, wanted.hasCommand);
		const { pullPolicy } = wanted;
		const stored = await this.#usable(image, wanted);
		const { steps } = chooseSource({ source, pullPolicy, stored: stored !== undefined, pinned, offer });
		let failure: ImageError | undefined;
		for (const [at, step] of steps.entries()) {
			if (step === "machine") return this.#machineImage(image, wanted, source, failure);
			const found =
				step === "stored"
					? stored
					: await this.#pull(image, wanted, at < steps.length - 1).catch((error: unknown) => {
							if (!(error instanceof Unreachable)) throw error;
							failure = error;
						});
			if (found !== undefined) return found;
		}
		throw (
			failure ??
			new ImageError("ErrImageNeverPull", `Container image "${image}" is not present with pull policy of Never`)
		);
	}

	/** See `Runtime.images`. */
	list(): { names: string[]; sizeBytes: number }[] {
		return (this.store?.list() ?? [])
			.map(({ image, names, repoDigests }) => {
				const tags = names.filter((name) => !name.includes("@"));
				return { names: [...repoDigests, ...tags], sizeBytes: image.sizeBytes };
			})
			.filter(({ names }) => names.length > 0)
			.sort((a, b) => b.sizeBytes - a.sizeBytes);
	}

	async removeUnused(): Promise<void> {
		await this.#options.removeUnused?.();
	}

	/**
	 * What a container takes from its image, which `resolve` has found.
	 * @throws Error if it has been removed in the meantime
	 */
	runImage({ image, imageId: id }: Pick<ContainerConfig, "image" | "imageId">): RunImage {
		const { store, table } = this.#options;
		const entry = id === undefined ? undefined : store?.find(id);
		if (store !== undefined && entry !== undefined) return storedRunImage(store, entry);
		return machineRunImage(table, image);
	}

	/**
	 * Files of the images that a container mounts, which `resolve` has found.
	 * @throws Error if one has been removed in the meantime
	 */
	volumeFiles(mounts: ContainerConfig["mounts"]): VolumeFiles[] {
		const ids = new Set(mounts.flatMap(({ image }) => image ?? []));
		return [...ids].map((id) => {
			const entry = this.store?.find(id);
			if (this.store === undefined || entry === undefined) throw new Error(`image ${id} of a volume was removed`);
			const subPaths = mounts.filter(({ image }) => image === id).map(({ subPath = "" }) => subPath);
			return storedVolumeFiles(this.store, entry, id, subPaths);
		});
	}

	/**
	 * A stored image for a pod that may use it. For others, what was pulled with credentials is not there (KEP-2535,
	 * "NeverVerifyPreloadedImages").
	 */
	async #usable(image: string, wanted: ImageWanted): Promise<Image | undefined> {
		const entry = this.store?.find(image);
		if (entry?.credentials === undefined) return entry && described(entry);
		const own = (await wanted.credentials?.()) ?? [];
		return own.map(fingerprint).some((one) => entry.credentials?.includes(one)) ? described(entry) : undefined;
	}

	#stored(image: string): Image | undefined {
		const entry = this.store?.find(image);
		return entry === undefined ? undefined : described(entry);
	}

	#offer(image: string, registry: string, hasCommand: boolean): MachineOffer {
		// What is in a registry of this machine was put there on purpose.
		if (!isLoopback(registry.replace(/:\d+$/, "")) && this.table.isReal(image)) return "program";
		try {
			this.table.resolve(image, { pullPolicy: "", hasCommand });
			return "stand-in";
		} catch {
			return "nothing";
		}
	}

	#machineImage(image: string, wanted: ImageWanted, source: ImageSource, failure: ImageError | undefined): Image {
		const found = this.table.resolve(image, wanted);
		if (source === "machine" && wanted.pullPolicy !== "Always") return found;
		const what = `Container image "${image}" was not pulled: this machine's own programs run instead`;
		const why = failure === undefined ? "" : `, because its registry cannot be reached: ${failure.message}`;
		return { ...found, note: { message: what + why, isWarning: failure !== undefined } };
	}

	/** @throws ImageError; Unreachable if something else can run instead */
	async #pull(image: string, wanted: ImageWanted, hasFallback: boolean): Promise<Image> {
		const { clock, pull } = this.#options;
		const registry = fullReference(image)?.registry ?? "";
		const sinceMs = this.#unreachable.get(registry);
		if (hasFallback && sinceMs !== undefined && clock.monotonicMs() - sinceMs < unreachableMs)
			throw new Unreachable("ErrImagePull", `${registry} did not answer a short time ago`);
		wanted.pulling?.();
		const askedMs = clock.monotonicMs();
		const credentials = (await wanted.credentials?.()) ?? [];
		const { signal = never } = wanted;
		const result = await this.#inTurn(signal, async () => {
			const begunMs = clock.monotonicMs();
			const wish = { image, credentials, ...(hasFallback ? { connectMs: shortConnectMs } : {}) };
			const pulled = await pull?.(wish, signal);
			return { pulled, tookMs: clock.monotonicMs() - begunMs };
		});
		const { pulled, tookMs } = result;
		if (pulled?.ok === false) {
			if (pulled.kind === "unreachable") {
				this.#isUnreachable(registry);
				if (hasFallback) throw new Unreachable("ErrImagePull", pulled.message);
			}
			throw new ImageError("ErrImagePull", pulled.message);
		}
		this.#unreachable.delete(registry);
		const found = this.#stored(image);
		if (found === undefined) throw new ImageError("ErrImagePull", `image "${image}" was removed while it was pulled`);
		return { ...found, pulled: { tookMs, withWaitingMs: clock.monotonicMs() - askedMs } };
	}

	#isUnreachable(registry: string): void {
		const nowMs = this.#options.clock.monotonicMs();
		// Pods may name any number of them.
		for (const [other, sinceMs] of this.#unreachable)
			if (nowMs - sinceMs >= unreachableMs) this.#unreachable.delete(other);
		this.#unreachable.set(registry, nowMs);
	}

	/** At most as many at once as the node allows. */
	async #inTurn<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T> {
		if (this.#pulling >= this.#options.pullsAtOnce) await this.#turn(signal);
		else this.#pulling++;
		try {
			return await task();
		} finally {
			const next = this.#waiting.shift();
			if (next === undefined) this.#pulling--;
			else next();
		}
	}

	/** Rejects, and leaves the queue, if nobody wants the image any more. */
	#turn(signal: AbortSignal): Promise<void> {
		return new Promise((resolve, reject) => {
			const begin = () => {
				signal.removeEventListener("abort", leave);
				resolve();
			};
			const leave = () => {
				const at = this.#waiting.indexOf(begin);
				if (at >= 0) this.#waiting.splice(at, 1);
				reject(new ImageError("ErrImagePull", "the pull was canceled"));
			};
			if (signal.aborted) return leave();
			signal.addEventListener("abort", leave, { once: true });
			this.#waiting.push(begin);
		});
	}
}

const volumeNeeds = "a volume needs its files";
const never = new AbortController().signal;

/** The registry cannot be reached. */
class Unreachable extends ImageError {}

function described(entry: ImageEntry): Image {
	const { config, sizeBytes } = entry.image;
	return { id: imageId(entry), user: config.user, sizeBytes };
}
