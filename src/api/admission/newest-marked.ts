import type { ObjectMeta } from "../../core/object.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import { keyPrefix } from "../cache/keys.ts";
import type { Server } from "../server/server.ts";

/**
 * The name of the default class: the newest of those that are marked as such; of equally old ones the first by name.
 */
export function newestMarked(
	{ cache }: Server,
	kind: Kind,
	isMarked: (metadata: ObjectMeta) => boolean,
): string | undefined {
	let newest: ObjectMeta | undefined;
	let newestMs = 0;
	// Sorted by name.
	for (const { object } of cache.resource(kind).range(keyPrefix(kind))) {
		if (!isMarked(object.metadata)) continue;
		const createdMs = parseTimestamp(object.metadata.creationTimestamp);
		if (newest !== undefined && createdMs <= newestMs) continue;
		newest = object.metadata;
		newestMs = createdMs;
	}
	return newest?.name;
}
