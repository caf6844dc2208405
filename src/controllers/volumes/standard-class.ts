import type { Draft } from "../../core/object.ts";
import type { StorageClass } from "../../kinds/generated/types.ts";
import { localProvisioner } from "../../kinds/storage/local-volume.ts";

export const defaultClassAnnotation = "storageclass.kubernetes.io/is-default-class";

/**
 * The class for claims that name none: a directory on the node of the first pod that uses the claim. Created with the
 * cluster.
 */
export const standardStorageClass: Draft<StorageClass> = {
	metadata: {
		name: "standard",
		annotations: { [defaultClassAnnotation]: "true" },
		// Like the manifest of an add-on: it is created if it is missing, and users' changes are kept.
		labels: { "addonmanager.kubernetes.io/mode": "EnsureExists" },
	},
	provisioner: localProvisioner,
	reclaimPolicy: "Delete",
	volumeBindingMode: "WaitForFirstConsumer",
	allowVolumeExpansion: true,
};
