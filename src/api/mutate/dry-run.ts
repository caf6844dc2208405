import { deepFreeze, type KubeObject } from "../../core/object.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import { Cached, encode } from "../cache/cached.ts";
import { unassigned } from "../resources/metadata.ts";

/** The response to a dry run: the object as it would be stored, with its current resourceVersion, if it exists. */
export function unstored(kind: Kind, key: string, object: KubeObject, revision?: number): Cached {
	object.metadata.resourceVersion = revision === undefined ? unassigned : String(revision);
	return new Cached(
		key,
		deepFreeze(object),
		revision ?? 0,
		encode({ ...object, metadata: { ...object.metadata, resourceVersion: unassigned } }, kind),
	);
}
