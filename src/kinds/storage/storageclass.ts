import type { Cause } from "../../core/errors.ts";
import { immutable, oneOf } from "../../core/validation/field-checks.ts";
import { duplicate, forbidden, invalidEach, required } from "../../core/validation/field-errors.ts";
import { qualifiedNameProblems } from "../../core/validation/names.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { StorageClass, TopologySelectorTerm } from "../generated/types.ts";
import { parameterProblems } from "./parameters.ts";

/** Marks the default class of claims. */
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
	returnsDeleted: true,
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
	validate: ({ provisioner, parameters, reclaimPolicy, volumeBindingMode, allowedTopologies }) => [
		...provisionerName(provisioner, "provisioner"),
		...parameterProblems(parameters, "parameters"),
		...(allowedTopologies ?? []).flatMap((term, index) => topologyProblems(term, `allowedTopologies[${index}]`)),
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

/** Also for drivers in volume attributes classes. */
export function provisionerName(name: string, path: string): Cause[] {
	return name ? invalidEach(path, name, qualifiedNameProblems(name.toLowerCase())) : [required(path)];
}

function topologyProblems({ matchLabelExpressions = [] }: TopologySelectorTerm, path: string): Cause[] {
	const seen = new Set<string>();
	return matchLabelExpressions.flatMap(({ key, values = [] }, index) => {
		const at = `${path}.matchLabelExpressions[${index}]`;
		const causes = invalidEach(`${at}.key`, key, qualifiedNameProblems(key ?? ""));
		if (values.length === 0) causes.push(required(`${at}.values`));
		for (const [position, value] of values.entries())
			if (values.indexOf(value) < position) causes.push(duplicate(`${at}.values[${position}]`, value));
		if (seen.has(key)) causes.push(duplicate(`${at}.key`, key));
		seen.add(key);
		return causes;
	});
}

export function isDefaultClass({ metadata }: { metadata: { annotations?: Record<string, string> } }): boolean {
	return (
		metadata.annotations?.[defaultClassAnnotation] === "true" ||
		metadata.annotations?.["storageclass.beta.kubernetes.io/is-default-class"] === "true"
	);
}
