import { ImageError } from "./runtime.ts";

/** A parsed image name. */
export interface ImageReference {
	/** `registry.example:5000`; empty if there is none. */
	registry: string;
	/** `library/nginx`, without registry. */
	repository: string;
	/** Last part of the repository: `nginx`. */
	name: string;
	/** `latest` if there is neither tag nor digest. */
	tag: string;
	digest?: string;
}

const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const pattern = new RegExp(
	`^(?:((?:[a-zA-Z0-9-]+\\.)*[a-zA-Z0-9-]+(?::\\d+)?)/)?(${component}(?:/${component})*)(?::([\\w][\\w.-]{0,127}))?(?:@([a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}))?$`,
);

/**
 * Parses an image name according to the OCI distribution specification.
 * @throws ImageError InvalidImageName, with the kubelet's message
 */
export function parseImageReference(image: string): ImageReference {
	const match = pattern.exec(image);
	if (match === null) {
		throw new ImageError(
			"InvalidImageName",
			`Failed to apply default image tag "${image}": couldn't parse image name "${image}": invalid reference format`,
		);
	}
	const [, first, rest = "", tag, digest] = match;
	// The first part is a registry only if it looks like a host; otherwise it belongs to the repository.
	const isHost = first !== undefined && (/[.:]/.test(first) || first === "localhost");
	const repository = first === undefined || isHost ? rest : `${first}/${rest}`;
	return {
		registry: isHost ? first : "",
		repository,
		name: repository.slice(repository.lastIndexOf("/") + 1),
		tag: tag ?? "latest",
		...(digest === undefined ? {} : { digest }),
	};
}
