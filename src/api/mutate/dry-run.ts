import { deepFreeze, type KubeObject } from "../../core/object.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import { Cached, encode } from "../cache/cached.ts";
import { unassigned } from "../resources/metadata.ts";

/** What a dry run answers: the object as it would be, with the resourceVersion that it has now, if it is there. */
export function unstored(kind: Kind, key: string, object: KubeObject, revision?: number): Cached {
	object.metadata.resourceVersion = revision === undefined ? unassigned : String(revision);
	return new Cached(
		key,
		deepFreeze(object),
		revision ?? 0,
		encode({ ...object, metadata: { ...object.metadata, resourceVersion: unassigned } }, kind),
	);
}
