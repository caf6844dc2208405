import { semanticEqual } from "../../core/equal.ts";
import type { Cause } from "../../core/errors.ts";
import { quantityNano } from "../../core/quantity.ts";
import { immutable, oneOf, subdomainName } from "../../core/validation/field-checks.ts";
import { forbidden, invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import { accessModesText, ageColumn, column, nameColumn, wideColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { PersistentVolume, PersistentVolumeSpec } from "../generated/types.ts";
import { validateNodeSelector } from "../pod/spec/scheduling.ts";
import { accessModeProblems } from "../pod/spec/volume-claim-spec.ts";

/** Fields of the spec that are not volume sources. */
const notSources = [
	"accessModes",
	"capacity",
	"claimRef",
	"mountOptions",
	"nodeAffinity",
	"persistentVolumeReclaimPolicy",
	"storageClassName",
	"volumeAttributesClassName",
	"volumeMode",
];

export const persistentVolumes: Kind<PersistentVolume> = {
	group: "",
	version: "v1",
	kind: "PersistentVolume",
	plural: "persistentvolumes",
	singular: "persistentvolume",
	shortNames: ["pv"],
	categories: [],
	namespaced: false,
	schema: "PersistentVolume",
	subresources: { status: true },
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	returnsDeleted: true,
	selectableFields: [],
	columns: [
		nameColumn,
		column("Capacity", "Size of the volume.", ({ spec }) => spec.capacity?.["storage"] ?? "0"),
		column("Access Modes", "Ways in which the volume may be mounted.", ({ spec }) => accessModesText(spec.accessModes)),
		column("Reclaim Policy", "What happens to the volume once its claim is gone.", ({ spec }) => {
			return spec.persistentVolumeReclaimPolicy ?? "";
		}),
		column("Status", "Phase of the volume.", ({ metadata, status }) =>
			metadata.deletionTimestamp === undefined ? (status?.phase ?? "") : "Terminating",
		),
		column("Claim", "Claim that the volume is bound to.", ({ spec: { claimRef } }) =>
			claimRef === undefined ? "" : `${claimRef.namespace}/${claimRef.name}`,
		),
		column("StorageClass", "Class of storage of the volume.", ({ metadata, spec }) => {
			return metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? spec.storageClassName ?? "";
		}),
		column("VolumeAttributesClass", "Class of attributes of the volume.", ({ spec }) => {
			return spec.volumeAttributesClassName ?? "<unset>";
		}),
		column("Reason", "Why the volume is in its phase.", ({ status }) => status?.reason ?? ""),
		ageColumn,
		wideColumn("VolumeMode", "Whether the volume is a file system or a block device.", ({ spec }) => {
			return spec.volumeMode ?? "<unset>";
		}),
	],

	setDefaults(volume) {
		volume.spec ??= {};
		volume.status ??= {};
		volume.status.phase ??= "Pending";
		volume.spec.persistentVolumeReclaimPolicy ||= "Retain";
		volume.spec.volumeMode ??= "Filesystem";
		if (volume.spec.hostPath !== undefined) volume.spec.hostPath.type ??= "";
	},
	prepareForCreate(volume, { now }) {
		volume.status = { phase: "Pending", lastPhaseTransitionTime: now };
	},
	prepareForUpdate(volume, old) {
		volume.status = old.status ?? { phase: "Pending" };
	},
	validate({ spec }) {
		const policies = ["Delete", "Recycle", "Retain"];
		const causes = [
			...accessModeProblems(spec.accessModes, "spec.accessModes"),
			...capacity(spec),
			...source(spec),
			...oneOf(spec.persistentVolumeReclaimPolicy, policies, "spec.persistentVolumeReclaimPolicy"),
			...oneOf(spec.volumeMode, ["Block", "Filesystem"], "spec.volumeMode"),
		];
		if (spec.storageClassName) causes.push(...subdomainName(spec.storageClassName, "spec.storageClassName"));
		const affinity = spec.nodeAffinity;
		if (affinity !== undefined && affinity.required === undefined)
			causes.push(required("spec.nodeAffinity.required", "must specify required node constraints"));
		else if (affinity?.required !== undefined)
			causes.push(...validateNodeSelector(affinity.required, "spec.nodeAffinity.required"));
		if (spec.local !== undefined && affinity === undefined)
			causes.push(required("spec.nodeAffinity", "Local volume requires node affinity"));
		return causes;
	},
	validateUpdate({ spec }, { spec: old }) {
		const causes: Cause[] = [];
		if (!semanticEqual(sourcesOf(spec), sourcesOf(old)))
			causes.push(
				forbidden("spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation\n"),
			);
		causes.push(...immutable(spec.volumeMode, old.volumeMode, "spec.volumeMode"));
		if (old.nodeAffinity !== undefined)
			causes.push(...immutable(spec.nodeAffinity, old.nodeAffinity, "spec.nodeAffinity"));
		return causes;
	},
	prepareForStatusUpdate(volume, old) {
		if (volume.status?.phase === old.status?.phase && old.status?.lastPhaseTransitionTime !== undefined) {
			volume.status ??= {};
			volume.status.lastPhaseTransitionTime ??= old.status.lastPhaseTransitionTime;
		}
	},
	warnings: ({ spec }) =>
		spec.persistentVolumeReclaimPolicy === "Recycle"
			? [
					"spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.",
				]
			: [],
};

function sourcesOf(spec: PersistentVolumeSpec): Record<string, unknown> {
	return Object.fromEntries(Object.entries(spec).filter(([field]) => !notSources.includes(field)));
}

function capacity({ capacity: amounts }: PersistentVolumeSpec): Cause[] {
	const entries = Object.entries(amounts ?? {});
	const storage = amounts?.["storage"];
	if (entries.length === 0) return [required("spec.capacity")];
	if (storage === undefined || entries.length > 1) return [notSupported("spec.capacity", amounts, ["storage"])];
	if (quantityNano(storage) > 0n) return [];
	return [invalidValue("spec.capacity[storage]", storage, "must be greater than zero")];
}

function source(spec: PersistentVolumeSpec): Cause[] {
	const names = Object.keys(sourcesOf(spec));
	if (names.length === 0) return [required("spec", "must specify a volume type")];
	const causes = names.slice(1).map((extra) => forbidden(`spec.${extra}`, "may not specify more than 1 volume type"));
	for (const field of ["hostPath", "local"] as const) {
		const path = spec[field]?.path;
		if (spec[field] === undefined) continue;
		if (!path) causes.push(required(`spec.${field}.path`));
		else if (path.split("/").includes(".."))
			causes.push(invalidValue(`spec.${field}.path`, path, "must not contain '..'"));
	}
	if (spec.hostPath?.path === "/" && spec.persistentVolumeReclaimPolicy === "Recycle")
		causes.push(forbidden("spec.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'"));
	return causes;
}
