/** Claims get the default storage class; claims and volumes in use are protected from deletion. */
import { parseTimestamp } from "../../core/clock.ts";
import type { PersistentVolumeClaim } from "../../kinds/generated/types.ts";
import { persistentVolumes } from "../../kinds/persistentvolume.ts";
import { persistentVolumeClaims } from "../../kinds/persistentvolumeclaim.ts";
import { isDefaultClass, storageClasses } from "../../kinds/storageclass.ts";
import { keyPrefix } from "../cache/keys.ts";
import type { AdmissionStep } from "./step.ts";

const oldClassAnnotation = "volume.beta.kubernetes.io/storage-class";

export const defaultStorageClass: AdmissionStep = {
	name: "DefaultStorageClass",
	on: { operations: ["create"], kinds: [persistentVolumeClaims] },
	admit({ object, server }) {
		const { spec, metadata } = object as PersistentVolumeClaim;
		// An empty name is a choice too: no class.
		if (spec === undefined || spec.storageClassName !== undefined) return;
		if (metadata.annotations?.[oldClassAnnotation] !== undefined) return;
		const defaults = [...server.cache.resource(storageClasses).range(keyPrefix(storageClasses))]
			.map((cached) => cached.object)
			.filter(isDefaultClass)
			// Of several, the newest; of equally new ones, the first by name.
			.sort(
				(a, b) =>
					parseTimestamp(b.metadata.creationTimestamp) - parseTimestamp(a.metadata.creationTimestamp) ||
					(a.metadata.name < b.metadata.name ? -1 : 1),
			);
		const [first] = defaults;
		if (first !== undefined) spec.storageClassName = first.metadata.name;
	},
};

export const storageObjectInUseProtection: AdmissionStep = {
	name: "StorageObjectInUseProtection",
	on: { operations: ["create"], kinds: [persistentVolumeClaims, persistentVolumes] },
	admit({ object, kind }) {
		const finalizer =
			kind.plural === "persistentvolumes" ? "kubernetes.io/pv-protection" : "kubernetes.io/pvc-protection";
		const { finalizers = [] } = object.metadata;
		if (!finalizers.includes(finalizer)) object.metadata.finalizers = [...finalizers, finalizer];
	},
};
