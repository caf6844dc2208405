/** Objects as the client wants to see them: as they are, in the version he speaks, as a table, or metadata only. */
import type { ApiResponse, ServedWatchEvent } from "../core/exchange.ts";
import { deepCopy, type KubeObject } from "../core/object.ts";
import { apiVersionOf } from "../kinds/kind.ts";
import type { Cached } from "./cache/cached.ts";
import { cachedResponse, type ListParts, listResponse } from "./respond.ts";
import type { Context } from "./server.ts";
import type { Target } from "./target.ts";

export function present(_context: Context, _target: Target, cached: Cached, status = 200): ApiResponse {
	return cachedResponse(cached, status);
}

export function presentList(
	_context: Context,
	target: Target,
	items: readonly Cached[],
	metadata: ListParts["metadata"],
): ApiResponse {
	return listResponse({ apiVersion: target.apiVersion, kind: `${target.kind.kind}List`, metadata, items });
}

/** How a watch's events look to the client. */
export function eventView(_context: Context, _target: Target): (event: ServedWatchEvent) => ServedWatchEvent {
	return (event) => event;
}

/** The object in the version that the client speaks; not to be changed. */
export function servedObject({ served }: Pick<Target, "served">, cached: Cached): KubeObject {
	if (served === undefined) return cached.object;
	const object = deepCopy(cached.object);
	served.fromStorage(object);
	object.apiVersion = apiVersionOf(served);
	return object;
}
