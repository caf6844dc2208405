/** Sets the default storage class of claims, and the finalizers that protect claims and volumes in use. */
import { compareQuantities } from "../../core/quantity.ts";
import type { PersistentVolumeClaim } from "../../kinds/generated/types.ts";
import { persistentVolumes } from "../../kinds/storage/persistentvolume.ts";
import { persistentVolumeClaims } from "../../kinds/storage/persistentvolumeclaim.ts";
import { isDefaultClass, storageClasses } from "../../kinds/storage/storageclass.ts";
import { type AdmissionStep, refused } from "../server/admission-step.ts";
import type { Server } from "../server/server.ts";
import { newestMarked } from "./newest-marked.ts";

const oldClassAnnotation = "volume.beta.kubernetes.io/storage-class";

export const defaultStorageClass: AdmissionStep = {
	name: "DefaultStorageClass",
	on: { operations: ["create"], kinds: [persistentVolumeClaims] },
	admit({ object, server }) {
		const { spec, metadata } = object as PersistentVolumeClaim;
		// An empty name is a choice too: no class.
		if (spec === undefined || spec.storageClassName !== undefined) return;
		if (metadata.annotations?.[oldClassAnnotation] !== undefined) return;
		const found = newestMarked(server, storageClasses, (classMetadata) => isDefaultClass({ metadata: classMetadata }));
		if (found !== undefined) spec.storageClassName = found;
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

/** Claims can only grow if their class allows it. */
export const persistentVolumeClaimResize: AdmissionStep = {
	name: "PersistentVolumeClaimResize",
	on: { operations: ["update"], kinds: [persistentVolumeClaims] },
	admit(request) {
		// Steps see the kinds that they ask for.
		const [claim, old] = [request.object as PersistentVolumeClaim, request.old as PersistentVolumeClaim];
		const [size, oldSize] = [claim, old].map(({ spec }) => spec?.resources?.requests?.["storage"] ?? "0");
		if (size === oldSize || compareQuantities(size ?? "0", oldSize ?? "0") <= 0) return undefined;
		if (old.status?.phase !== "Bound") throw refused(request, "Only bound persistent volume claims can be expanded");
		const name = claim.spec?.storageClassName ?? "";
		if (name !== "" && name === old.spec?.storageClassName && mayExpand(request.server, name)) return undefined;
		throw refused(
			request,
			"only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
		);
	},
};

/** Whether the class allows expansion. */
export function mayExpand({ cache }: Server, name: string): boolean {
	return cache.find(storageClasses, undefined, name)?.allowVolumeExpansion === true;
}
