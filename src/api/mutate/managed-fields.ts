import type { KubeObject } from "../../core/object.ts";
import { trackUpdate } from "../../core/patches/managed-fields.ts";
import { fields } from "./strategies.ts";
import { before, type Write } from "./write.ts";
import { writerOf } from "./writer.ts";

/**
 * Keeps account of who set what, for objects that someone applies on the server's side. Others have no such account:
 * it would cost more than all the rest of a write, and the first apply begins one.
 */
export function trackFields(write: Write): undefined {
	const { operation, object, managedFields: sent, context, target } = write;
	if (operation !== "update") return;
	if (write.ownsManagedFields) {
		object.metadata.managedFields = sent ?? [];
		return;
	}
	const old: KubeObject = before(write);
	if (old.metadata.managedFields === undefined) return;
	// The account may be edited, and be taken away.
	const updated = { ...object, metadata: { ...object.metadata, managedFields: sent ?? old.metadata.managedFields } };
	const tracked = trackUpdate(fields(old), fields(updated), writerOf(context, target));
	if (tracked.length > 0) object.metadata.managedFields = [...tracked];
	else delete object.metadata.managedFields;
}
