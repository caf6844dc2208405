/** Reclaims a volume whose claim has been deleted. */
import type { PersistentVolume } from "../../kinds/generated/types.ts";
import { hostnameOf, isLocalVolume, localVolumeFinalizer } from "../../kinds/storage/local-volume.ts";
import { persistentVolumes } from "../../kinds/storage/persistentvolume.ts";
import { event, remove, update } from "../runtime/actions.ts";
import type { Action } from "../runtime/controller.ts";
import { volumePhase } from "./writes.ts";

/** Releases the volume, and deletes it if its policy says so and this controller provisioned it. */
export function reclaim(volume: PersistentVolume, nowMs: number): Action[] {
	const { phase } = volume.status ?? {};
	const released = phase === "Failed" ? [] : volumePhase(volume, "Released", nowMs);
	switch (volume.spec.persistentVolumeReclaimPolicy ?? "Retain") {
		case "Delete":
			if (volume.metadata.deletionTimestamp !== undefined) return released;
			if (isLocalVolume(volume)) return [...released, remove(persistentVolumes, volume)];
			// Another provisioner deletes the volumes that it created.
			if (volume.spec.csi !== undefined) return released;
			return failed(volume, nowMs, "VolumeFailedDelete", "deleter", "deletable");
		case "Recycle":
			return failed(volume, nowMs, "VolumeFailedRecycle", "recycler", "recyclable");
		default:
			return released;
	}
}

function failed(volume: PersistentVolume, nowMs: number, reason: string, plugin: string, ability: string): Action[] {
	const { name } = volume.metadata;
	const message = `error getting ${plugin} volume plugin for volume "${name}": no ${ability} volume plugin matched`;
	const phase = volumePhase(volume, "Failed", nowMs, message);
	return phase.length === 0 ? [] : [...phase, event(volume, "Warning", reason, message)];
}

/**
 * Removes the finalizer of a deleted volume whose node, and with it the agent that would remove its directory, no
 * longer exists.
 */
export function abandoned(volume: PersistentVolume, lostHostnames: ReadonlySet<string>): Action[] {
	const { deletionTimestamp, finalizers = [] } = volume.metadata;
	const hostname = hostnameOf(volume);
	if (deletionTimestamp === undefined || hostname === undefined || !lostHostnames.has(hostname)) return [];
	if (!finalizers.includes(localVolumeFinalizer)) return [];
	const metadata = { ...volume.metadata, finalizers: finalizers.filter((name) => name !== localVolumeFinalizer) };
	return [update(persistentVolumes, { ...volume, metadata })];
}
