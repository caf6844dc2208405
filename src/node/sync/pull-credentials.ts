/** What a pod says about pulling its images: where from, and with which credentials. */
import { messageOf } from "../../core/errors.ts";
import type { Credential } from "../../images/credentials/credential.ts";
import { dockerConfigOfSecret, matchingCredentials } from "../../images/credentials/docker-config.ts";
import { fullReference } from "../../images/model/reference.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { imagesAnnotation } from "../../kinds/self-help/annotations.ts";
import type { ImageWanted } from "../../runtime/runtime.ts";
import type { ManagedPod } from "../context/managed-pod.ts";

/** Undefined if the pod does not say, or was stored with something unknown. */
export function imageSourceOf(pod: Pod): ImageWanted["source"] {
	const wanted = pod.metadata.annotations?.[imagesAnnotation];
	return wanted === "auto" || wanted === "registry" || wanted === "machine" ? wanted : undefined;
}

/**
 * Credentials of the pod's Secrets that are for the image. Secrets that are missing or cannot be read are reported, and
 * the image is pulled without them, as upstream.
 */
export async function pullCredentials(managed: ManagedPod, image: string, container: string): Promise<Credential[]> {
	const { pod, context } = managed;
	const reference = fullReference(image);
	const names = (pod.spec.imagePullSecrets ?? []).flatMap(({ name }) => name ?? []);
	if (reference === undefined) return [];
	const found: Credential[] = [];
	const missing: string[] = [];
	for (const name of names) {
		const secret = await context.references.secret(pod.metadata.namespace ?? "default", name);
		try {
			const config = secret === undefined ? undefined : dockerConfigOfSecret(secret.data ?? {});
			if (config === undefined) missing.push(name);
			else found.push(...matchingCredentials(config.auths, reference));
		} catch (error) {
			managed.record("Warning", "FailedToRetrieveImagePullSecret", `Secret ${name}: ${messageOf(error)}`, container);
		}
	}
	if (missing.length > 0) {
		const message = `Unable to retrieve some image pull secrets (${missing.join(", ")}); attempting to pull the image may not succeed.`;
		managed.record("Warning", "FailedToRetrieveImagePullSecret", message, container);
	}
	return found;
}
