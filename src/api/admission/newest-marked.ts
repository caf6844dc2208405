import type { ObjectMeta } from "../../core/object.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import { keyPrefix } from "../cache/keys.ts";
import type { Server } from "../server/server.ts";

/**
 * The name of the default class: of several that are marked so the newest, of equally new ones the first
 * by name.
 */
export function newestMarked(
	{ cache }: Server,
	kind: Kind,
	isMarked: (metadata: ObjectMeta) => boolean,
): string | undefined {
	let newest: ObjectMeta | undefined;
	let newestMs = 0;
	// In the order of names.
	for (const { object } of cache.resource(kind).range(keyPrefix(kind))) {
		if (!isMarked(object.metadata)) continue;
		const createdMs = parseTimestamp(object.metadata.creationTimestamp);
		if (newest !== undefined && createdMs <= newestMs) continue;
		newest = object.metadata;
		newestMs = createdMs;
	}
	return newest?.name;
}
