/** The parts of metadata that the server decides, and what is wrong with the parts that clients decide. */

import { type Cause, conflict } from "../../core/errors.ts";
import type { KubeObject, ObjectMeta } from "../../core/object.ts";
import { timestamp } from "../../core/time/clock.ts";
import { forbidden, invalidEach, required } from "../../core/validation/field-errors.ts";
import { changeableMetadataCauses } from "../../core/validation/metadata-checks.ts";
import { nameProblems } from "../../core/validation/names.ts";
import type { Kind } from "../../kinds/engine/kind.ts";

/** Metadata of an object to be created: the client's fields, and those that only the server sets. */
export function metadataForCreate(
	kind: Kind,
	sent: Partial<ObjectMeta>,
	server: { uid: string; nowMs: number; namespace: string | undefined },
): ObjectMeta {
	const { name = "", generateName, labels, annotations, ownerReferences, finalizers, managedFields } = sent;
	const metadata: ObjectMeta = {
		name,
		uid: server.uid,
		// Assigned when the write has its revision; the stored JSON is without it.
		resourceVersion: unassigned,
		creationTimestamp: timestamp(server.nowMs),
	};
	if (generateName !== undefined && generateName !== "") metadata.generateName = generateName;
	if (kind.namespaced && server.namespace !== undefined) metadata.namespace = server.namespace;
	if (kind.hasGeneration) metadata.generation = 1;
	if (labels !== undefined) metadata.labels = labels;
	if (annotations !== undefined) metadata.annotations = annotations;
	if (ownerReferences !== undefined) metadata.ownerReferences = ownerReferences;
	if (finalizers !== undefined) metadata.finalizers = finalizers;
	if (managedFields !== undefined) metadata.managedFields = managedFields;
	return metadata;
}

/**
 * Metadata of an object to be updated: the client's names for things, and the server's facts from the old object.
 * @throws ApiError Conflict when the client means an object with another uid
 */
export function metadataForUpdate(kind: Kind, sent: Partial<ObjectMeta>, old: ObjectMeta): ObjectMeta {
	if (sent.uid !== undefined && sent.uid !== "" && sent.uid !== old.uid) {
		const why = `Precondition failed: UID in precondition: ${sent.uid}, UID in object meta: ${old.uid}`;
		throw conflict(kind, old.name, why);
	}
	const { labels, annotations, ownerReferences, finalizers } = sent;
	const metadata: ObjectMeta = {
		name: old.name,
		uid: old.uid,
		resourceVersion: unassigned,
		creationTimestamp: old.creationTimestamp,
	};
	if (old.generateName !== undefined) metadata.generateName = old.generateName;
	if (old.namespace !== undefined) metadata.namespace = old.namespace;
	if (old.generation !== undefined) metadata.generation = old.generation;
	if (old.deletionTimestamp !== undefined) metadata.deletionTimestamp = old.deletionTimestamp;
	if (old.deletionGracePeriodSeconds !== undefined)
		metadata.deletionGracePeriodSeconds = old.deletionGracePeriodSeconds;
	if (labels !== undefined) metadata.labels = labels;
	if (annotations !== undefined) metadata.annotations = annotations;
	if (ownerReferences !== undefined) metadata.ownerReferences = ownerReferences;
	if (finalizers !== undefined) metadata.finalizers = finalizers;
	if (old.managedFields !== undefined) metadata.managedFields = old.managedFields;
	return metadata;
}

/**
 * The resourceVersion of an object that has none yet. It must stay undefined for the stored JSON to be without it; the
 * cache assigns the string before anybody sees the object.
 */
export const unassigned = undefined as unknown as string;

/** What is wrong with the metadata of a new object. */
export function metadataProblems(kind: Kind, metadata: ObjectMeta): Cause[] {
	const causes: Cause[] = [];
	if (metadata.name === "") causes.push(required("metadata.name", "name or generateName is required"));
	else causes.push(...invalidEach("metadata.name", metadata.name, nameProblems[kind.nameRule](metadata.name)));
	return causes.concat(changeableMetadataCauses(metadata, kind));
}

/** What is wrong with the metadata of an object that was there before. */
export function metadataUpdateProblems(kind: Kind, sent: ObjectMeta, old: KubeObject): Cause[] {
	const causes = changeableMetadataCauses(sent, kind);
	if (old.metadata.deletionTimestamp !== undefined) {
		const before = new Set(old.metadata.finalizers ?? []);
		const added = (sent.finalizers ?? []).filter((finalizer) => !before.has(finalizer));
		if (added.length > 0) {
			const list = added.map((finalizer) => JSON.stringify(finalizer)).join(", ");
			causes.push(
				forbidden(
					"metadata.finalizers",
					`no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`,
				),
			);
		}
	}
	return causes;
}
