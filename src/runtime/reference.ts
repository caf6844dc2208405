import { type ImageReference, parseReference } from "../images/model/reference.ts";
import { ImageError } from "./runtime.ts";

/**
 * Parses an image name according to the OCI distribution specification.
 * @throws ImageError InvalidImageName, with the kubelet's message
 */
export function parseImageReference(image: string): ImageReference {
	const parsed = parseReference(image);
	if (parsed !== undefined) return parsed;
	throw new ImageError(
		"InvalidImageName",
		`Failed to apply default image tag "${image}": couldn't parse image name "${image}": invalid reference format`,
	);
}
