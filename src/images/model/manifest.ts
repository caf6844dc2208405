/** Manifests and configurations of images (OCI image specification, Docker's schema 2). They may say anything. Pure. */
import { ImageFailure } from "./failure.ts";

export const mediaTypes = {
	ociIndex: "application/vnd.oci.image.index.v1+json",
	ociManifest: "application/vnd.oci.image.manifest.v1+json",
	ociConfig: "application/vnd.oci.image.config.v1+json",
	dockerIndex: "application/vnd.docker.distribution.manifest.list.v2+json",
	dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
} as const;

/** What is accepted from registries. */
export const manifestTypes = [
	mediaTypes.ociIndex,
	mediaTypes.ociManifest,
	mediaTypes.dockerIndex,
	mediaTypes.dockerManifest,
];

export interface Descriptor {
	mediaType: string;
	digest: string;
	size: number;
}

export interface Platform {
	os: string;
	/** `amd64`, `arm64` */
	architecture: string;
	variant?: string;
}

export type ParsedManifest =
	| { type: "index"; manifests: readonly (Descriptor & { platform?: Platform; name?: string })[] }
	| { type: "image"; config: Descriptor; layers: readonly Descriptor[] };

/** What a container takes from its image. */
export interface ImageConfig {
	entrypoint: readonly string[];
	command: readonly string[];
	/** `NAME=VALUE` */
	env: readonly string[];
	workingDir: string;
	/** `USER`, `UID:GROUP`, or empty. */
	user: string;
	/** `SIGQUIT`; empty: SIGTERM. */
	stopSignal: string;
	volumes: readonly string[];
	labels: Readonly<Record<string, string>>;
	platform: Platform;
	/** Digests of the decompressed layers, lowest first. */
	diffIds: readonly string[];
	/** RFC 3339; empty if it does not say. */
	created: string;
}

const mostLayers = 500;
const digestPattern = /^sha256:[0-9a-f]{64}$/;
const layerTypes =
	/^application\/vnd\.(oci\.image\.layer(\.nondistributable)?\.v1\.tar|docker\.image\.rootfs\.(foreign\.)?diff\.tar)(\.gzip|\+gzip|\+zstd|\.zstd)?$/;

/** @throws ImageFailure */
export function parseManifest(body: Buffer, contentType: string): ParsedManifest {
	const root = objectIn(body, "the manifest");
	if (root["schemaVersion"] === 1)
		throw new ImageFailure(
			"invalid",
			"the image has a manifest of schema 1, which is not supported: push it again with a current client",
		);
	const mediaType = typeof root["mediaType"] === "string" ? root["mediaType"] : contentType;
	if (Array.isArray(root["manifests"])) return { type: "index", manifests: listOf(root["manifests"]).map(indexEntry) };
	if (Array.isArray(root["layers"])) {
		const layers = root["layers"].map(descriptor);
		if (layers.length > mostLayers)
			throw new ImageFailure("refused", `the image has ${layers.length} layers; ${mostLayers} are possible`);
		for (const layer of layers)
			if (!layerTypes.test(layer.mediaType))
				throw new ImageFailure(
					"invalid",
					`a layer of the type ${JSON.stringify(layer.mediaType)} is not supported: the name is not that of an image for containers`,
				);
		return { type: "image", config: descriptor(root["config"]), layers };
	}
	throw new ImageFailure("invalid", `a manifest of the type ${JSON.stringify(mediaType)} is not supported`);
}

/** The image for this machine in an index. @throws ImageFailure */
export function forPlatform(
	manifests: Extract<ParsedManifest, { type: "index" }>["manifests"],
	wanted: Platform,
): Descriptor {
	const found =
		manifests.find(({ platform }) => platform?.os === wanted.os && platform.architecture === wanted.architecture) ??
		(manifests.length === 1 && manifests[0]?.platform === undefined ? manifests[0] : undefined);
	if (found !== undefined) return found;
	const others = manifests.flatMap(({ platform }) =>
		platform === undefined ? [] : [`${platform.os}/${platform.architecture}`],
	);
	const known = [...new Set(others)].filter((name) => name !== "unknown/unknown").join(", ");
	throw new ImageFailure(
		"missing",
		`no match for platform in manifest: not found; wanted ${wanted.os}/${wanted.architecture}, the image has ${known}`,
	);
}

/** @throws ImageFailure */
export function parseConfig(body: Buffer): ImageConfig {
	const root = objectIn(body, "the image's configuration");
	const config = mapOf(root["config"]);
	const rootfs = mapOf(root["rootfs"]);
	const text = (from: Record<string, unknown>, key: string) => (typeof from[key] === "string" ? from[key] : "");
	const words = (key: string) => listOf(config[key]).map(String);
	const diffIds = listOf(rootfs["diff_ids"]).map(String);
	for (const diffId of diffIds)
		if (!digestPattern.test(diffId))
			throw new ImageFailure("invalid", `${JSON.stringify(diffId)} is no digest of a layer`);
	return {
		entrypoint: words("Entrypoint"),
		command: words("Cmd"),
		env: words("Env").filter((setting) => setting.indexOf("=") > 0 && !setting.includes("\0")),
		workingDir: text(config, "WorkingDir"),
		user: text(config, "User"),
		stopSignal: text(config, "StopSignal"),
		volumes: Object.keys(mapOf(config["Volumes"])),
		labels: Object.fromEntries(Object.entries(mapOf(config["Labels"])).map(([key, value]) => [key, String(value)])),
		platform: { os: text(root, "os"), architecture: text(root, "architecture") },
		diffIds,
		created: text(root, "created"),
	};
}

function indexEntry(value: unknown): Descriptor & { platform?: Platform; name?: string } {
	const entry = mapOf(value);
	const platform = entry["platform"] === undefined ? undefined : mapOf(entry["platform"]);
	const name = mapOf(entry["annotations"])["org.opencontainers.image.ref.name"];
	return {
		...descriptor(entry),
		...(platform === undefined
			? {}
			: { platform: { os: String(platform["os"]), architecture: String(platform["architecture"]) } }),
		...(typeof name === "string" ? { name } : {}),
	};
}

function descriptor(value: unknown): Descriptor {
	const { mediaType, digest, size } = mapOf(value);
	if (typeof digest !== "string" || !digestPattern.test(digest))
		throw new ImageFailure("invalid", `the manifest has a digest that is not supported: ${JSON.stringify(digest)}`);
	if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
		throw new ImageFailure("invalid", `the manifest has a size that is none: ${JSON.stringify(size)}`);
	return { mediaType: String(mediaType), digest, size };
}

function objectIn(body: Buffer, what: string): Record<string, unknown> {
	try {
		const value: unknown = JSON.parse(body.toString("utf8"));
		if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
	} catch {
		// Below.
	}
	throw new ImageFailure("invalid", `${what} is not a JSON object`);
}

function mapOf(value: unknown): Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function listOf(value: unknown): unknown[] {
	return Array.isArray(value) ? value : [];
}
