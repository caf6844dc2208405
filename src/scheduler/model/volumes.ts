/** Lookups of claims, volumes and classes for the volume filters. */
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "../../kinds/generated/types.ts";

export interface Volumes {
	claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
	volume(name: string): PersistentVolume | undefined;
	storageClass(name: string): StorageClass | undefined;
	/** Unclaimed volumes of a class (`""`: without a class). */
	available(storageClassName: string): Iterable<PersistentVolume>;
}

export const noVolumes: Volumes = {
	claim: () => undefined,
	volume: () => undefined,
	storageClass: () => undefined,
	available: () => [],
};
