/** Resolves the image of a container before it starts. */
import { goDuration } from "../../core/time/duration.ts";
import type { Container as ContainerSpec } from "../../kinds/generated/types.ts";
import { type Image, ImageError } from "../../runtime/runtime.ts";
import type { ManagedPod } from "../context/managed-pod.ts";
import { grow } from "../pod/pod-plan.ts";
import { imageSourceOf, pullCredentials } from "./pull-credentials.ts";

/** The delay after which upstream retries a pod that failed to start. */
export const startRetryMs = 10_000;
/** The first check after a failure, which reports the back-off, comes no later than this. */
const firstLookMs = 2000;

export interface ContainerImages {
	image: Image;
	/** `Image.id` of the images that are volumes, by volume. */
	volumeImages: ReadonlyMap<string, string>;
}

interface ImageNeed {
	image: string;
	pullPolicy: string;
	hasCommand: boolean;
	needsFiles?: boolean;
}

/**
 * The image of a container, after those of its volumes, as upstream.
 * @returns undefined if the container cannot start now; its runtime state says why
 */
export async function resolveImages(managed: ManagedPod, spec: ContainerSpec): Promise<ContainerImages | undefined> {
	if (isBackingOff(managed, spec)) return undefined;
	const volumeImages = new Map<string, string>();
	for (const { name, image } of managed.pod.spec.volumes ?? []) {
		if (image === undefined || !spec.volumeMounts?.some((mount) => mount.name === name)) continue;
		const { reference = "", pullPolicy = "IfNotPresent" } = image;
		const need = { image: reference, pullPolicy, hasCommand: true, needsFiles: true };
		const resolved = await resolveImage(managed, spec.name, need);
		if (resolved === undefined) return undefined;
		volumeImages.set(name, resolved.id);
	}
	const { image = "", imagePullPolicy: pullPolicy = "IfNotPresent" } = spec;
	const need = { image, pullPolicy, hasCommand: (spec.command?.length ?? 0) > 0 };
	const resolved = await resolveImage(managed, spec.name, need);
	if (resolved === undefined) return undefined;
	managed.runtimeState.imageResolved(spec.name);
	return { image: resolved, volumeImages };
}

async function resolveImage(managed: ManagedPod, name: string, need: ImageNeed): Promise<Image | undefined> {
	const { image, ...wanted } = need;
	try {
		const source = imageSourceOf(managed.pod);
		const resolved = await managed.context.runtime.resolveImage(image, {
			...wanted,
			...(source === undefined ? {} : { source }),
			credentials: () => pullCredentials(managed, image, name),
			pulling: () => managed.record("Normal", "Pulling", `Pulling image "${image}"`, name),
			signal: managed.startSignal,
		});
		recordImage(managed, name, image, resolved);
		return resolved;
	} catch (error) {
		imageFailed(managed, name, image, error);
		return undefined;
	}
}

function recordImage(managed: ManagedPod, name: string, image: string, { pulled, note, sizeBytes }: Image): void {
	if (note !== undefined) {
		managed.record(note.isWarning ? "Warning" : "Normal", "NotPulled", note.message, name);
		return;
	}
	const message =
		pulled === undefined
			? `Container image "${image}" already present on machine and can be accessed by the pod`
			: `Successfully pulled image "${image}" in ${goDuration(pulled.tookMs)} (${goDuration(pulled.withWaitingMs)} including waiting). Image size: ${sizeBytes} bytes.`;
	managed.record("Normal", "Pulled", message, name);
}

/** The first check after a failure only reports the back-off. */
function isBackingOff(managed: ManagedPod, { name, image = "" }: ContainerSpec): boolean {
	const { context, runtimeState } = managed;
	const { startFailure, imageBackoff } = runtimeState.container(name);
	if (startFailure?.reason !== "ErrImagePull" || imageBackoff === undefined) return false;
	// It may be the one of a volume.
	const failed = startFailure.image ?? image;
	const retryAtMs = imageBackoff.sinceMs + imageBackoff.delayMs;
	if (context.clock.now() >= retryAtMs) return false;
	managed.record("Normal", "BackOff", `Back-off pulling image "${failed}"`, name);
	const message = `Back-off pulling image "${failed}": ErrImagePull: ${startFailure.message}`;
	runtimeState.startFailed(name, { reason: "ImagePullBackOff", message, retryAtMs });
	return true;
}

function imageFailed(managed: ManagedPod, name: string, image: string, error: unknown): void {
	const { context, runtimeState } = managed;
	const nowMs = context.clock.now();
	const reason = error instanceof ImageError ? error.reason : "ErrImagePull";
	const message = context.words(error);
	if (reason === "ErrImagePull") {
		const backoff = grow(runtimeState.container(name).imageBackoff, nowMs, nowMs);
		runtimeState.imageFailed(name, backoff);
		managed.record("Warning", "Failed", `Failed to pull image "${image}": ${message}`, name);
		managed.record("Warning", "Failed", "Error: ErrImagePull", name);
		const retryAtMs = nowMs + Math.min(firstLookMs, backoff.delayMs);
		runtimeState.startFailed(name, { reason, message, retryAtMs, image });
		return;
	}
	const isNever = reason === "ErrImageNeverPull";
	const text = isNever ? `Container image "${image}" is not present with pull policy of Never` : message;
	const event = isNever ? reason : reason === "InvalidImageName" ? "InspectFailed" : "Failed";
	managed.record("Warning", event, text, name);
	managed.record("Warning", "Failed", `Error: ${reason}`, name);
	runtimeState.startFailed(name, { reason, message: text, retryAtMs: nowMs + startRetryMs });
}
