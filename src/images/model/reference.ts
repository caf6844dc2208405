/** Names of images, by the grammar of the OCI distribution specification and Docker's defaults. Pure. */

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
	/** Whether the tag was given. */
	tagged: boolean;
	/** `sha256:…` */
	digest?: string;
}

/** A name with everything that Docker adds: what stores and registries know images by. */
export interface FullReference {
	/** `docker.io` */
	registry: string;
	/** `library/nginx` */
	repository: string;
	/** Absent if there is a digest and no tag. */
	tag?: string;
	digest?: string;
}

const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const host = "(?:\\[[0-9a-fA-F:]+\\]|(?:[a-zA-Z0-9-]+\\.)*[a-zA-Z0-9-]+)(?::\\d+)?";
const pattern = new RegExp(
	`^(?:(${host})/)?(${component}(?:/${component})*)(?::([\\w][\\w.-]{0,127}))?(?:@([a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}))?$`,
);
const defaultRegistry = "docker.io";
/** Longest registry and repository together, as Docker's. */
const longestName = 255;

/** Undefined if it is none. */
export function parseReference(image: string): ImageReference | undefined {
	const match = pattern.exec(image);
	if (match === null) return undefined;
	const [, first, rest = "", tag, digest] = match;
	// The first part is a registry only if it looks like a host; otherwise it belongs to the repository.
	const isHost = first !== undefined && (/[.:]/.test(first) || first === "localhost");
	const repository = first === undefined || isHost ? rest : `${first}/${rest}`;
	if (repository.length + (isHost ? first.length : 0) > longestName) return undefined;
	// Without a host, capital letters are not possible.
	if (!isHost && repository !== repository.toLowerCase()) return undefined;
	return {
		registry: isHost ? first : "",
		repository,
		name: repository.slice(repository.lastIndexOf("/") + 1),
		tag: tag ?? "latest",
		tagged: tag !== undefined,
		...(digest === undefined ? {} : { digest }),
	};
}

/** `nginx` → `docker.io/library/nginx:latest`; undefined if it is no name. */
export function fullReference(image: string): FullReference | undefined {
	const parsed = parseReference(image);
	if (parsed === undefined) return undefined;
	const { digest, tag, tagged } = parsed;
	const isDocker = ["", defaultRegistry, "index.docker.io"].includes(parsed.registry);
	const isOfficial = isDocker && !parsed.repository.includes("/");
	return {
		registry: isDocker ? defaultRegistry : parsed.registry,
		repository: isOfficial ? `library/${parsed.repository}` : parsed.repository,
		...(tagged || digest === undefined ? { tag } : {}),
		...(digest === undefined ? {} : { digest }),
	};
}

/** `docker.io/library/nginx` */
export function repositoryName({ registry, repository }: Pick<FullReference, "registry" | "repository">): string {
	return `${registry}/${repository}`;
}

/** The whole name: `docker.io/library/nginx:1.27`, with the digest if there is one. */
export function referenceText(reference: FullReference): string {
	const { tag, digest } = reference;
	return repositoryName(reference) + (tag === undefined ? "" : `:${tag}`) + (digest === undefined ? "" : `@${digest}`);
}
