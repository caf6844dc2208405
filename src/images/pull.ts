/** Pulls images from registries into a store. */
import { messageOf } from "../core/errors.ts";
import type { Clock } from "../core/time/clock.ts";
import { type Credential, fingerprint } from "./credentials/credential.ts";
import { ownCredentials } from "./credentials/own-credentials.ts";
import { ImageFailure } from "./model/failure.ts";
import {
	type Descriptor,
	forPlatform,
	type ImageConfig,
	type Platform,
	parseConfig,
	parseManifest,
} from "./model/manifest.ts";
import { type FullReference, fullReference, referenceText, repositoryName } from "./model/reference.ts";
import { verified, wholeOf } from "./model/verified.ts";
import type { Registries } from "./registry/registries-file.ts";
import { type Manifest, Registry } from "./registry/registry.ts";
import { storedName } from "./store/layout.ts";
import type { ImageEntry, StoredImage } from "./store/store.ts";
import type { StoreWriter } from "./store/store-writer.ts";

export interface PullOptions {
	writer: StoreWriter;
	/** Read at the beginning of each pull. */
	registries: () => Registries;
	/** Directory of the user's Docker configuration. */
	dockerDirectory: string;
	clock: Clock;
	/** Default: this machine's. */
	platform?: Platform;
}

export interface PullRequest {
	/** As users write it. */
	image: string;
	/** Tried one after another, before the user's own. What is pulled with one is for those who have it. */
	credentials: readonly Credential[];
	/** Time to reach a registry. Default: 30 seconds. */
	connectMs?: number;
	signal: AbortSignal;
	progress?(layer: LayerProgress): void;
}

export interface LayerProgress {
	digest: string;
	receivedBytes: number;
	sizeBytes: number;
	state: "waiting" | "pulling" | "done" | "present";
}

const usualConnectMs = 30_000;
const layersAtOnce = 3;
const largestConfig = 8 << 20;
const progressEveryBytes = 1 << 20;
/** Of a pull whose layers others remove at the same time. */
const mostAttempts = 3;

/** @throws ImageFailure in words for users */
export async function pullImage(options: PullOptions, request: PullRequest): Promise<ImageEntry> {
	const reference = fullReference(request.image);
	if (reference === undefined)
		throw new ImageFailure("invalid", `couldn't parse image name "${request.image}": invalid reference format`);
	const name = referenceText(reference);
	try {
		const registries = options.registries();
		const own = await ownCredentials(options.dockerDirectory, reference);
		const credentials = [...request.credentials, ...own];
		const isConfigured = registries.hosts.get(reference.registry)?.credential !== undefined;
		// Without any: with that of registries.yaml, or as nobody in particular.
		const attempts = credentials.length === 0 || isConfigured ? [...credentials, undefined] : credentials;
		return await withFirst(attempts, (credential) => pullWith(options, registries, request, reference, credential));
	} catch (error) {
		if (request.signal.aborted) throw error;
		const kind = error instanceof ImageFailure ? error.kind : "failed";
		throw new ImageFailure(kind, `failed to pull and unpack image "${name}": ${messageOf(error)}`, { cause: error });
	}
}

/** Tries one after another, as long as they are denied. */
async function withFirst<T>(
	credentials: readonly (Credential | undefined)[],
	attempt: (credential: Credential | undefined) => Promise<T>,
): Promise<T> {
	let problem: unknown;
	for (const credential of credentials) {
		try {
			return await attempt(credential);
		} catch (error) {
			problem ??= error;
			if (!(error instanceof ImageFailure) || error.kind !== "denied") throw error;
		}
	}
	throw problem;
}

async function pullWith(
	{ writer, clock, platform = machinePlatform() }: PullOptions,
	registries: Registries,
	request: PullRequest,
	reference: FullReference,
	credential: Credential | undefined,
): Promise<ImageEntry> {
	const { connectMs = usualConnectMs, signal } = request;
	const registry = new Registry({
		image: reference,
		registries,
		...(credential === undefined ? {} : { credential }),
		clock,
		connectMs,
		signal,
	});
	const { top, manifest } = await resolve(registry, reference, platform);
	const parsed = parseManifest(manifest.body, manifest.mediaType);
	if (parsed.type === "index") throw new ImageFailure("invalid", "the image's index has an index for this platform");
	const known = writer.store.find(manifest.digest)?.image;
	const image = known ?? (await pullContent(writer, registry, { manifest, ...parsed }, request));
	if (top !== manifest) writer.addBlob(top.digest, top.body);
	const repoDigest = `${repositoryName(reference)}@${top.digest}`;
	const isPods = credential !== undefined && request.credentials.includes(credential);
	const access = isPods ? { credentials: [fingerprint(credential)] } : {};
	const named = { image: image.digest, repoDigest, atMs: clock.now(), ...access };
	writer.name({ name: repoDigest, ...named });
	if (reference.tag !== undefined)
		writer.name({ name: storedName({ ...reference, digest: undefined } as FullReference), ...named });
	return { image, names: [storedName(reference)], repoDigests: [repoDigest], atMs: named.atMs };
}

async function resolve(
	registry: Registry,
	reference: FullReference,
	platform: Platform,
): Promise<{ top: Manifest; manifest: Manifest }> {
	try {
		const top = await registry.manifest(reference.digest ?? reference.tag ?? "latest");
		const parsed = parseManifest(top.body, top.mediaType);
		const manifest =
			parsed.type === "image" ? top : await registry.manifest(forPlatform(parsed.manifests, platform).digest);
		return { top, manifest };
	} catch (error) {
		if (!(error instanceof ImageFailure)) throw error;
		throw new ImageFailure(error.kind, `failed to resolve reference "${referenceText(reference)}": ${error.message}`, {
			cause: error,
		});
	}
}

interface ImageParts {
	manifest: Manifest;
	config: Descriptor;
	layers: readonly Descriptor[];
}

async function pullContent(
	writer: StoreWriter,
	registry: Registry,
	{ manifest, config: configDescriptor, layers }: ImageParts,
	request: PullRequest,
): Promise<StoredImage> {
	if (configDescriptor.size > largestConfig)
		throw new ImageFailure("refused", `the image's configuration has ${configDescriptor.size} bytes`);
	const configBody = await wholeOf(verified(registry.blob(configDescriptor), configDescriptor));
	const config = parseConfig(configBody);
	if (config.diffIds.length !== layers.length)
		throw new ImageFailure(
			"invalid",
			`the image has ${layers.length} layers, and its configuration ${config.diffIds.length}`,
		);
	for (let attempt = 0; attempt < mostAttempts; attempt++) {
		const all = layers.map((layer, at) => ({ ...layer, diffId: config.diffIds[at] ?? "" }));
		const abort = new AbortController();
		await inParallel(all, layersAtOnce, abort.signal, async (layer) => {
			try {
				await pullLayer(writer, registry, layer, request, AbortSignal.any([abort.signal, request.signal]));
			} catch (error) {
				abort.abort(error);
				throw error;
			}
		});
		writer.addBlob(configDescriptor.digest, configBody);
		writer.addBlob(manifest.digest, manifest.body);
		const stored = await writer.addImage(imageOf(manifest, configDescriptor, config, all));
		if (stored !== undefined) return stored;
	}
	throw new ImageFailure("failed", "its layers are removed again and again");
}

function imageOf(
	manifest: Manifest,
	configDescriptor: Descriptor,
	config: ImageConfig,
	layers: StoredImage["layers"],
): Omit<StoredImage, "passwd" | "group" | "directories"> {
	const sizeBytes = layers.reduce((sum, { size }) => sum + size, manifest.body.length + configDescriptor.size);
	return { digest: manifest.digest, mediaType: manifest.mediaType, config, configDescriptor, layers, sizeBytes };
}

async function pullLayer(
	writer: StoreWriter,
	registry: Registry,
	layer: StoredImage["layers"][number],
	{ progress }: PullRequest,
	aborted: AbortSignal,
): Promise<void> {
	const report = (state: LayerProgress["state"], receivedBytes: number) =>
		progress?.({ digest: layer.digest, sizeBytes: layer.size, state, receivedBytes });
	let isPulled = false;
	report("waiting", 0);
	const source = async function* () {
		isPulled = true;
		let [received, reported] = [0, 0];
		for await (const chunk of registry.blob(layer)) {
			// Another layer has failed, or nobody wants the image any more.
			aborted.throwIfAborted();
			received += chunk.length;
			if (received - reported >= progressEveryBytes) {
				reported = received;
				report("pulling", received);
			}
			yield chunk;
		}
	};
	await writer.addLayer(layer, source, aborted);
	report(isPulled ? "done" : "present", layer.size);
}

/** Rejects with the first failure, once all that were begun have ended. */
async function inParallel<T>(
	items: readonly T[],
	most: number,
	aborted: AbortSignal,
	work: (item: T) => Promise<void>,
): Promise<void> {
	const rest = [...items];
	const worker = async () => {
		for (let item = rest.shift(); item !== undefined && !aborted.aborted; item = rest.shift()) await work(item);
	};
	const ended = await Promise.allSettled(Array.from({ length: most }, worker));
	aborted.throwIfAborted();
	for (const end of ended) if (end.status === "rejected") throw end.reason;
}

export function machinePlatform(): Platform {
	return { os: "linux", architecture: process.arch === "x64" ? "amd64" : process.arch };
}
