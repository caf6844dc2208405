/** The initial objects of a new cluster. */

import type { User } from "../../core/exchange.ts";
import type { Draft, KubeObject } from "../../core/object.ts";
import { trackUpdate } from "../../core/patches/managed-fields.ts";
import { type Clock, timestamp } from "../../core/time/clock.ts";
import { newUid } from "../../core/validation/uid.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import { prefixEnd, type Store } from "../../store/store.ts";
import { encode } from "../cache/cached.ts";
import { keyRoot, objectKey } from "../cache/keys.ts";
import { decodeOwn } from "../resources/decode.ts";
import { metadataForCreate } from "../resources/metadata.ts";
import { writerAs } from "./options/writer.ts";
import { fields } from "./strategies.ts";

/** The name of upstream's API server in managedFields. */
const manager = "kube-apiserver";

export interface FirstContents {
	/** Without objects that allocate an address or a port, which only the verbs do. */
	objects: readonly { kind: Kind; draft: Draft<KubeObject> }[];
	requester: User;
}

/**
 * Writes the objects in one commit, before anything is served, to a store that contains no API objects; does nothing
 * otherwise. The result is the same as that of `create`, for which a few hundred requests would take ten times as long.
 * @returns whether it wrote them
 */
export async function writeFirstContents(store: Store, clock: Clock, contents: FirstContents): Promise<boolean> {
	const { entries } = await store.range({ from: keyRoot, to: prefixEnd(keyRoot), limit: 1 });
	if (entries.length > 0) return false;
	const nowMs = clock.now();
	const context = { now: timestamp(nowMs), requester: contents.requester };
	const puts = contents.objects.map(({ kind, draft }) => {
		const object = decodeOwn(kind, draft);
		const { namespace, name } = object.metadata;
		object.metadata = metadataForCreate(kind, object.metadata, { uid: newUid(clock), nowMs, namespace });
		const writer = writerAs(manager, { kind, subresource: undefined }, context.now);
		const managedFields = trackUpdate(undefined, fields(object), writer);
		if (managedFields.length > 0) object.metadata.managedFields = managedFields;
		kind.prepareForCreate?.(object, context);
		return { key: objectKey(kind, namespace, name), value: encode(object, kind) };
	});
	await store.commit({ compare: puts.map(({ key }) => ({ key, modRevision: 0 })), puts, deletes: [] });
	return true;
}
