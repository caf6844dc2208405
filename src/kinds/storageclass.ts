import { immutable, oneOf, requiredText } from "../core/field-checks.ts";
import { forbidden } from "../core/field-errors.ts";
import { ageColumn, column, nameColumn } from "./columns.ts";
import type { StorageClass } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

/** Marks the class that claims without one get. */
export const defaultClassAnnotation = "storageclass.kubernetes.io/is-default-class";

export const storageClasses: Kind<StorageClass> = {
	group: "storage.k8s.io",
	version: "v1",
	kind: "StorageClass",
	plural: "storageclasses",
	singular: "storageclass",
	shortNames: ["sc"],
	categories: [],
	namespaced: false,
	schema: "StorageClass",
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		{
			...nameColumn,
			cell: (storageClass) =>
				isDefaultClass(storageClass) ? `${storageClass.metadata.name} (default)` : storageClass.metadata.name,
		},
		column("Provisioner", "Who makes volumes of the class.", ({ provisioner }) => provisioner),
		column("ReclaimPolicy", "What happens to volumes once their claims are gone.", ({ reclaimPolicy }) => {
			return reclaimPolicy ?? "Delete";
		}),
		column("VolumeBindingMode", "When volumes are made and bound.", ({ volumeBindingMode }) => {
			return volumeBindingMode ?? "Immediate";
		}),
		column(
			"AllowVolumeExpansion",
			"Whether volumes may grow.",
			({ allowVolumeExpansion }) => allowVolumeExpansion ?? false,
		),
		ageColumn,
	],

	setDefaults(storageClass) {
		storageClass.reclaimPolicy ??= "Delete";
		storageClass.volumeBindingMode ??= "Immediate";
	},
	validate: ({ provisioner, reclaimPolicy, volumeBindingMode }) => [
		...requiredText(provisioner, "provisioner"),
		...oneOf(reclaimPolicy, ["Delete", "Retain"], "reclaimPolicy"),
		...oneOf(volumeBindingMode, ["Immediate", "WaitForFirstConsumer"], "volumeBindingMode"),
	],
	validateUpdate(next, old) {
		const fixed = (field: "parameters" | "provisioner", message: string) =>
			immutable(next[field], old[field], field).map(() => forbidden(field, message));
		return [
			...fixed("parameters", "updates to parameters are forbidden."),
			...fixed("provisioner", "updates to provisioner are forbidden."),
			...immutable(next.reclaimPolicy, old.reclaimPolicy, "reclaimPolicy").map(() =>
				forbidden("reclaimPolicy", "updates to reclaimPolicy are forbidden."),
			),
			...immutable(next.volumeBindingMode, old.volumeBindingMode, "volumeBindingMode"),
		];
	},
};

export function isDefaultClass({ metadata }: { metadata: { annotations?: Record<string, string> } }): boolean {
	return (
		metadata.annotations?.[defaultClassAnnotation] === "true" ||
		metadata.annotations?.["storageclass.beta.kubernetes.io/is-default-class"] === "true"
	);
}
