/** Where the images of a registry are asked for. Pure. */
import type { Credential } from "../credentials/credential.ts";
import type { FullReference } from "../model/reference.ts";
import type { TlsSettings } from "./http.ts";
import { isLoopback } from "./loopback.ts";
import type { Registries } from "./registries-file.ts";

export interface Endpoint {
	/** Up to the repository: `https://registry-1.docker.io/v2`. */
	base: string;
	/** As this endpoint knows it. */
	repository: string;
	/** The registry that it is a mirror of; undefined: itself. */
	mirrorOf?: string;
	tls: TlsSettings;
	/** Of the user's file; the pod's own come first. */
	credential?: Credential;
}

/** In the order in which they are asked. */
export function endpointsOf(image: FullReference, { mirrors, hosts }: Registries): Endpoint[] {
	const { registry, repository } = image;
	const mirror = mirrors.get(registry) ?? mirrors.get("*");
	const settings = (host: string) => hosts.get(host) ?? { tls: {} };
	const mirrored = (mirror?.endpoints ?? []).map((text): Endpoint => {
		const url = new URL(text);
		const path = url.pathname.replace(/\/$/, "");
		return {
			base: `${url.origin}${path === "" ? "/v2" : path}`,
			repository: rewritten(repository, mirror?.rewrites ?? []),
			mirrorOf: registry,
			...settings(url.host),
		};
	});
	const host = registry === "docker.io" ? "registry-1.docker.io" : registry;
	const own = { ...settings(registry), repository };
	const secure = { base: `https://${host}/v2`, ...own };
	// As Docker: registries of this machine need no certificate.
	const plain = isLoopback(new URL(`http://${host}`).hostname) ? [{ base: `http://${host}/v2`, ...own }] : [];
	return [...mirrored, secure, ...plain];
}

function rewritten(repository: string, rewrites: readonly (readonly [RegExp, string])[]): string {
	for (const [pattern, replacement] of rewrites)
		if (pattern.test(repository)) return repository.replace(pattern, replacement);
	return repository;
}
