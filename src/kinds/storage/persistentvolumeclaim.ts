import { semanticEqual } from "../../core/equal.ts";
import type { Cause } from "../../core/errors.ts";
import { compareQuantities } from "../../core/quantity.ts";
import { forbidden } from "../../core/validation/field-errors.ts";
import { accessModesText, ageColumn, column, nameColumn, wideColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from "../generated/types.ts";
import { claimSpecProblems } from "../pod/spec/volume-claim-spec.ts";

export const persistentVolumeClaims: Kind<PersistentVolumeClaim> = {
	group: "",
	version: "v1",
	kind: "PersistentVolumeClaim",
	plural: "persistentvolumeclaims",
	singular: "persistentvolumeclaim",
	shortNames: ["pvc"],
	categories: [],
	namespaced: true,
	schema: "PersistentVolumeClaim",
	subresources: { status: true },
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	returnsDeleted: true,
	selectableFields: [],
	columns: [
		nameColumn,
		column("Status", "Phase of the claim.", ({ metadata, status }) =>
			metadata.deletionTimestamp === undefined ? (status?.phase ?? "") : "Terminating",
		),
		column("Volume", "Volume that the claim is bound to.", ({ spec }) => spec.volumeName ?? ""),
		column("Capacity", "Size of the bound volume.", ({ spec, status }) =>
			spec.volumeName ? (status?.capacity?.["storage"] ?? "0") : "",
		),
		column("Access Modes", "Ways in which the bound volume may be mounted.", ({ spec, status }) =>
			spec.volumeName ? accessModesText(status?.accessModes) : "",
		),
		column("StorageClass", "Class of storage that the claim asks for.", claimStorageClass),
		column("VolumeAttributesClass", "Class of attributes that the claim asks for.", ({ spec }) => {
			return spec.volumeAttributesClassName ?? "<unset>";
		}),
		ageColumn,
		wideColumn("VolumeMode", "Whether the volume is a file system or a block device.", ({ spec }) => {
			return spec.volumeMode ?? "<unset>";
		}),
	],

	setDefaults(claim) {
		claim.spec ??= {};
		claim.spec.volumeMode ??= "Filesystem";
		claim.status ??= {};
		claim.status.phase ??= "Pending";
		syncSource(claim.spec);
	},
	prepareForCreate(claim) {
		claim.status = { phase: "Pending" };
	},
	prepareForUpdate(claim, old) {
		claim.status = old.status ?? { phase: "Pending" };
	},
	validate: ({ spec }) => claimSpecProblems(spec, "spec"),
	validateUpdate,
};

/** `dataSource` and `dataSourceRef` are equivalent for objects in the claim's own namespace. */
function syncSource(spec: PersistentVolumeClaimSpec): void {
	if (spec.dataSource !== undefined) spec.dataSourceRef ??= { ...spec.dataSource };
	else if (spec.dataSourceRef !== undefined && !spec.dataSourceRef.namespace) {
		const { namespace: _none, ...reference } = spec.dataSourceRef;
		spec.dataSource = reference;
	}
}

function claimStorageClass({ metadata, spec }: PersistentVolumeClaim): string {
	return metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? spec.storageClassName ?? "";
}

/** After its creation a claim can be bound, and a bound one can be expanded and change its attributes class. */
function validateUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): Cause[] {
	const causes: Cause[] = [];
	const bound = old.status?.phase === "Bound";
	const next = { ...claim.spec };
	const before = { ...old.spec };
	// Binding sets the volume's name, and a claim without a class may get the default one.
	if (!before.volumeName) delete next.volumeName;
	if (!before.volumeName) delete before.volumeName;
	if (before.storageClassName === undefined && !old.spec.volumeName) delete next.storageClassName;
	const [size, oldSize] = [claim.spec.resources?.requests?.["storage"], old.spec.resources?.requests?.["storage"]];
	if (bound) {
		const { volumeAttributesClassName: attributes } = next;
		if (before.volumeAttributesClassName !== undefined && attributes === undefined)
			causes.push(forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden"));
		delete next.volumeAttributesClassName;
		delete before.volumeAttributesClassName;
		next.resources = withoutStorage(next);
		before.resources = withoutStorage(before);
	}
	if (!semanticEqual(next, before))
		causes.push(
			forbidden(
				"spec",
				"spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n",
			),
		);
	const capacity = old.status?.capacity?.["storage"];
	if (bound && size !== undefined && oldSize !== undefined && compareQuantities(size, oldSize) < 0) {
		// A failed expansion may be reduced, but not below the existing capacity.
		if (capacity === undefined || compareQuantities(size, capacity) <= 0)
			causes.push(forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"));
	}
	return causes;
}

function withoutStorage({ resources }: PersistentVolumeClaimSpec): PersistentVolumeClaimSpec["resources"] {
	const { storage: _storage, ...rest } = resources?.requests ?? {};
	return { ...resources, requests: rest };
}
