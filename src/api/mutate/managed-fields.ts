import type { KubeObject } from "../../core/object.ts";
import { shareAccount, trackUpdate } from "../../core/patches/managed-fields.ts";
import { writerOf } from "./options/writer.ts";
import { fields } from "./strategies.ts";
import type { Write } from "./write.ts";

/**
 * Records in managedFields who set which fields. It runs before admission and the kind's preparation, whose additions
 * belong to no manager. Operations that write no object themselves (binding, eviction) and the server's own writes do
 * not change managedFields.
 */
export function trackFields(write: Write): undefined {
	const { operation, object, old, managedFields: sent, context, target } = write;
	if (operation === "delete") return;
	const { metadata } = object;
	if (write.ownsManagedFields) {
		metadata.managedFields = sent ?? [];
		shareAccount(object);
		return;
	}
	const { verb } = context.info;
	if (verb !== "create" && verb !== "update" && verb !== "patch") return;
	if (verb === "create" && operation === "update") return;
	// Clients may edit and remove managedFields.
	setAccount(metadata, sent ?? old?.metadata.managedFields);
	const tracked = trackUpdate(old && fields(old), fields(object), writerOf(context, target));
	setAccount(metadata, tracked.length > 0 ? tracked : undefined);
}

function setAccount(metadata: KubeObject["metadata"], entries: KubeObject["metadata"]["managedFields"]): void {
	if (entries !== undefined) metadata.managedFields = entries;
	else if (metadata.managedFields !== undefined) delete metadata.managedFields;
}
