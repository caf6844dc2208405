/** The resource that a request is about. */
import { ApiError, notFound } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import type { Kind, ServedVersion } from "../../kinds/engine/kind.ts";
import { apiVersionOf } from "../../kinds/engine/kind.ts";
import type { Cached } from "../cache/cached.ts";
import { objectKey } from "../cache/keys.ts";
import type { KindCache } from "../cache/kind-cache.ts";
import type { RequestInfo } from "../request/request-info.ts";
import type { Server } from "../server/server.ts";

export interface Target {
	kind: Kind;
	/** The version the client speaks, when it is not the stored one. */
	served: ServedVersion | undefined;
	/** `apps/v1`, as the client speaks it. */
	apiVersion: string;
	namespace: string | undefined;
	name: string | undefined;
	subresource: string | undefined;
	/** What follows the subresource. */
	rest: string;
	objects: KindCache;
}

/** A target that names one object. */
export interface NamedTarget extends Target {
	name: string;
	key: string;
}

/** Undefined when there is no such resource. */
export function targetOf(server: Server, info: RequestInfo): Target | undefined {
	const { resource } = info;
	if (resource === undefined) return undefined;
	const found = server.registry.resource(resource.group, resource.version, resource.plural);
	if (found === undefined) return undefined;
	const { kind, served } = found;
	// `/api/v1/namespaces/default/nodes` is no place, and a namespaced object has no place without its namespace.
	if (!kind.namespaced && resource.namespace !== undefined) return undefined;
	if (kind.namespaced && resource.namespace === undefined && resource.name !== undefined) return undefined;
	return {
		kind,
		served,
		apiVersion: apiVersionOf(served ?? kind),
		namespace: resource.namespace,
		name: resource.name,
		subresource: resource.subresource,
		rest: resource.rest,
		objects: server.cache.resource(kind),
	};
}

/** The resource of a kind in its stored version, for what the server does by itself. */
export function resourceOf(server: Server, kind: Kind): Target {
	return {
		kind,
		served: undefined,
		apiVersion: apiVersionOf(kind),
		namespace: undefined,
		name: undefined,
		subresource: undefined,
		rest: "",
		objects: server.cache.resource(kind),
	};
}

/** One object of such a resource, or a part of it. */
export function objectOf(server: Server, kind: Kind, { metadata }: KubeObject, subresource?: string): NamedTarget {
	const { name, namespace } = metadata;
	return { key: objectKey(kind, namespace, name), ...resourceOf(server, kind), namespace, name, subresource };
}

/** @throws ApiError MethodNotAllowed when the request names no object */
export function named(target: Target): NamedTarget {
	const { kind, namespace, name } = target;
	if (name === undefined || name === "") throw methodNotAllowed();
	return { key: objectKey(kind, namespace, name), ...target, name };
}

/** @throws ApiError NotFound */
export function existing(target: NamedTarget): Cached {
	const cached = target.objects.get(target.key);
	if (cached === undefined) throw notFound(target.kind, target.name);
	return cached;
}

export function methodNotAllowed(): ApiError {
	return new ApiError("MethodNotAllowed", "the server does not allow this method on the requested resource", {});
}

export function noSuchResource(): ApiError {
	return new ApiError("NotFound", "the server could not find the requested resource", {});
}
