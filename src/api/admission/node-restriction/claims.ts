/** How an agent may change claims and volumes. Pure. */

import { sameFields } from "../../../core/equal.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "../../../kinds/generated/types.ts";
import { hostnameOf, isLocalVolume, localVolumeFinalizer } from "../../../kinds/storage/local-volume.ts";

type Fields = Readonly<Record<string, unknown>>;

const ownStatus = new Set(["capacity", "conditions", "allocatedResources", "allocatedResourceStatuses"]);
const bookkeeping = new Set(["resourceVersion", "managedFields"]);
const parts = new Set(["metadata", "status"]);
const nothing: Fields = {};

export function claimStatusProblem(
	node: string,
	now: PersistentVolumeClaim,
	old: PersistentVolumeClaim,
): string | undefined {
	const same =
		sameFields(fields(now), fields(old), parts) &&
		sameFields(fields(now.metadata), fields(old.metadata), bookkeeping) &&
		sameFields(fields(now.status), fields(old.status), ownStatus);
	if (same) return undefined;
	return `node "${node}" is not allowed to update fields other than status.capacity and status.conditions`;
}

/**
 * An agent removes the finalizer of a deleted volume that is a directory of its node; it may change nothing else.
 */
export function volumeProblem(
	node: string,
	now: PersistentVolume,
	old: PersistentVolume | undefined,
): string | undefined {
	const problem = `node "${node}" is only allowed to remove the finalizer "${localVolumeFinalizer}" from its own local volumes that are being deleted`;
	if (old === undefined || !isLocalVolume(old) || hostnameOf(old) !== node) return problem;
	if (old.metadata.deletionTimestamp === undefined) return problem;
	const rest = (old.metadata.finalizers ?? []).filter((finalizer) => finalizer !== localVolumeFinalizer);
	const expected = { ...old.metadata, finalizers: rest };
	const sent = { ...now.metadata, finalizers: now.metadata.finalizers ?? [] };
	const same =
		sameFields(fields(now), fields(old), new Set(["metadata"])) &&
		sameFields(fields(sent), fields(expected), bookkeeping);
	return same ? undefined : problem;
}

/** Parts of objects are plain records. */
function fields(part: object | undefined): Fields {
	return (part ?? nothing) as Fields;
}
