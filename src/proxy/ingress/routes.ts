/**
 * From Ingresses to the backend of a request (documentation page "Ingress"). Pure.
 *
 * The most exact host decides first, then the longest path; among equals an exact path, then the older Ingress. A
 * request that no path of its host is for goes to the default backend of an Ingress with that host, then to rules for
 * all hosts, then to the oldest default backend.
 */
import type { HTTPIngressPath, Ingress, IngressBackend } from "../../kinds/generated/types.ts";

export interface Backend {
	namespace: string;
	/** Undefined for resources other than Services, which are not supported. */
	service?: string;
	/** Of the Service: its name or number. */
	port: string | number;
}

interface Route {
	exact: boolean;
	/** Without empty segments at the end. */
	segments: readonly string[];
	/** As it must be, for exact ones. */
	path: string;
	backend: Backend;
}

/** All Ingresses of one controller. */
export class Routes {
	/** By host, `*.domain`, and `` for all hosts. */
	readonly #hosts = new Map<string, { routes: Route[]; fallback?: Backend }>();
	#fallback: Backend | undefined;

	/** @param ingresses in any order */
	constructor(ingresses: Iterable<Ingress>) {
		for (const ingress of [...ingresses].sort(byAge)) this.#add(ingress);
		// Stable: the older Ingress stays first.
		for (const { routes } of this.#hosts.values()) routes.sort(byLength);
	}

	/**
	 * @param host lowercase, without port
	 * @param path absolute, without query; see `plainPath`
	 * @returns undefined if no Ingress is for it
	 */
	backendOf(host: string, path: string): Backend | undefined {
		const segments = segmentsOf(path);
		for (const name of [host, wildcardOf(host), ""]) {
			const found = name === undefined ? undefined : this.#hosts.get(name);
			const route = found?.routes.find((one) => leads(one, path, segments));
			const backend = route?.backend ?? found?.fallback;
			if (backend !== undefined) return backend;
		}
		return this.#fallback;
	}

	#add({ metadata: { namespace = "" }, spec }: Ingress): void {
		const fallback = spec.defaultBackend === undefined ? undefined : backendOf(namespace, spec.defaultBackend);
		this.#fallback ??= fallback;
		for (const { host = "", http } of spec.rules ?? []) {
			const known = this.#hosts.get(host) ?? { routes: [] };
			this.#hosts.set(host, known);
			known.routes.push(...(http?.paths ?? []).map((path) => routeOf(namespace, path)));
			if (fallback !== undefined) known.fallback ??= fallback;
		}
	}
}

/**
 * The form in which paths are compared: letters, digits and `-._~` that were escaped without need are not. Undefined
 * for paths that backends would read differently, because a segment is `.` or `..`, however it is written.
 */
export function plainPath(path: string): string | undefined {
	const plain = path.replace(/%([2-7][0-9a-f])/gi, (escaped, code: string) => {
		const character = String.fromCharCode(Number.parseInt(code, 16));
		return /[\w.~-]/.test(character) ? character : escaped;
	});
	const parts = plain.split(/\/|\\|%2f|%5c/i);
	return parts.includes(".") || parts.includes("..") ? undefined : plain;
}

/** `*.example.com` for `www.example.com`: a wildcard stands for one label. */
export function wildcardOf(host: string): string | undefined {
	const dot = host.indexOf(".");
	return dot <= 0 ? undefined : `*${host.slice(dot)}`;
}

function routeOf(namespace: string, { path = "/", pathType, backend }: HTTPIngressPath): Route {
	const absolute = path === "" ? "/" : path;
	return {
		exact: pathType === "Exact",
		path: absolute,
		segments: segmentsOf(absolute),
		backend: backendOf(namespace, backend),
	};
}

function backendOf(namespace: string, { service }: IngressBackend): Backend {
	const { name = "", number = 0 } = service?.port ?? {};
	return {
		namespace,
		port: name === "" ? number : name,
		...(service === undefined ? {} : { service: service.name }),
	};
}

function leads(route: Route, path: string, segments: readonly string[]): boolean {
	if (route.exact) return route.path === path;
	return route.segments.every((segment, index) => segment === segments[index]);
}

/** `/a/b/` and `/a/b` have the same ones; `/` has none. */
function segmentsOf(path: string): string[] {
	const segments = path.split("/").slice(1);
	while (segments.at(-1) === "") segments.pop();
	return segments;
}

function byLength(a: Route, b: Route): number {
	return (
		b.segments.length - a.segments.length ||
		b.path.length - a.path.length ||
		(a.exact === b.exact ? 0 : a.exact ? -1 : 1)
	);
}

export function byAge(a: Ingress, b: Ingress): number {
	const key = ({ metadata }: Ingress) => `${metadata.creationTimestamp} ${metadata.namespace}/${metadata.name}`;
	return key(a) < key(b) ? -1 : 1;
}
