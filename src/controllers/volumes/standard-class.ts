import type { Draft } from "../../core/object.ts";
import type { StorageClass } from "../../kinds/generated/types.ts";
import { localProvisioner } from "../../kinds/storage/local-volume.ts";

export const defaultClassAnnotation = "storageclass.kubernetes.io/is-default-class";

/**
 * The class that claims get which name none: a directory on the node of the first pod that uses the claim. To be
 * created with the cluster.
 */
export const standardStorageClass: Draft<StorageClass> = {
	metadata: {
		name: "standard",
		annotations: { [defaultClassAnnotation]: "true" },
		// As the manifest of an add-on: it is made when it is missing, and what users change stays.
		labels: { "addonmanager.kubernetes.io/mode": "EnsureExists" },
	},
	provisioner: localProvisioner,
	reclaimPolicy: "Delete",
	volumeBindingMode: "WaitForFirstConsumer",
	allowVolumeExpansion: true,
};
