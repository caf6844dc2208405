/** Claims, volumes and classes, as the volume filters look them up. */
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "../../kinds/generated/types.ts";

export interface Volumes {
	claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
	volume(name: string): PersistentVolume | undefined;
	storageClass(name: string): StorageClass | undefined;
	/** Volumes of a class (`""`: of none) that no claim has. */
	available(storageClassName: string): Iterable<PersistentVolume>;
}

export const noVolumes: Volumes = {
	claim: () => undefined,
	volume: () => undefined,
	storageClass: () => undefined,
	available: () => [],
};
