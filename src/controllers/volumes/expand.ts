/**
 * Expands claims (Kubernetes documentation, "Persistent Volumes", "Expanding Persistent Volumes Claims"). A directory
 * has no fixed size, so only the numbers change.
 */
import { compareQuantities } from "../../core/quantity.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "../../kinds/generated/types.ts";
import { isLocalVolume } from "../../kinds/storage/local-volume.ts";
import { persistentVolumes } from "../../kinds/storage/persistentvolume.ts";
import { event, patch } from "../runtime/actions.ts";
import type { Action } from "../runtime/controller.ts";
import { claimStatus } from "./writes.ts";

export function expansion(claim: PersistentVolumeClaim, volume: PersistentVolume): Action[] {
	const storage = claim.spec.resources?.requests?.["storage"];
	const told = claim.status?.capacity?.["storage"];
	// Without a capacity in its status, the claim is still being bound.
	if (storage === undefined || told === undefined || claim.status?.phase !== "Bound") return [];
	if (compareQuantities(storage, told) <= 0) return [];
	if (!isLocalVolume(volume)) {
		const message = "waiting for an external controller to expand this PVC";
		return [event(claim, "Normal", "ExternalExpanding", message)];
	}
	const { namespace, name } = claim.metadata;
	const growth: Action[] = [];
	if (compareQuantities(storage, volume.spec.capacity?.["storage"] ?? "0") > 0) {
		const change = { spec: { capacity: { storage } } };
		growth.push(patch(persistentVolumes, { name: volume.metadata.name }, { type: "merge", patch: change }));
	}
	const message = `ExpandVolume succeeded for volume ${namespace}/${name}`;
	return [
		...growth,
		claimStatus(claim, { capacity: { storage } }),
		event(claim, "Normal", "VolumeResizeSuccessful", message),
	];
}
