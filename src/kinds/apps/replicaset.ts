import type { Cause } from "../../core/errors.ts";
import { immutable, nonNegative } from "../../core/validation/field-checks.ts";
import { invalidValue } from "../../core/validation/field-errors.ts";
import { oldReplicaSets } from "../conversion/workloads.ts";
import { ageColumn, column, nameColumn, selectorText, templateColumns } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { ReplicaSet, ReplicaSetStatus } from "../generated/types.ts";
import { validateRunningTemplate, validateWorkloadSelector } from "../pod/pod-template.ts";
import { podSpecWarnings } from "../pod/pod-warnings.ts";
import { setPodTemplateDefaults } from "../pod/spec/defaults.ts";

export const replicaSets: Kind<ReplicaSet> = {
	group: "apps",
	version: "v1",
	kind: "ReplicaSet",
	plural: "replicasets",
	singular: "replicaset",
	shortNames: ["rs"],
	categories: ["all"],
	namespaced: true,
	schema: "ReplicaSet",
	subresources: {
		status: true,
		scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", selector: ".spec.selector" },
	},
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column("Desired", "Pods wanted.", ({ spec }) => spec.replicas ?? 0, "integer"),
		column("Current", "Pods there are.", ({ status }) => status?.replicas ?? 0, "integer"),
		column("Ready", "Pods that are ready.", ({ status }) => status?.readyReplicas ?? 0, "integer"),
		ageColumn,
		...templateColumns<ReplicaSet>(
			({ spec }) => spec.template,
			({ spec }) => selectorText(spec.selector),
		),
	],

	setDefaults({ spec }) {
		spec.replicas ??= 1;
		setPodTemplateDefaults(spec);
	},
	prepareForCreate(set) {
		set.status = { replicas: 0 };
	},
	prepareForUpdate(set, old) {
		set.status = old.status ?? { replicas: 0 };
	},
	validate: ({ spec }) => [
		...nonNegative(spec.replicas, "spec.replicas"),
		...nonNegative(spec.minReadySeconds, "spec.minReadySeconds"),
		...validateWorkloadSelector(spec.selector, "replicaset", "spec.selector"),
		...validateRunningTemplate(spec.template, spec.selector, "ReplicaSet", "spec.template"),
	],
	validateUpdate: ({ spec }, old) => immutable(spec.selector, old.spec.selector, "spec.selector"),
	validateStatusUpdate: ({ status }) => validateReplicaCounts(status),
	warnings: ({ spec }) => podSpecWarnings(spec.template?.spec, "spec.template.spec"),
	servedAs: oldReplicaSets,
};

/** Numbers in the status of ReplicaSets and ReplicationControllers. */
export function validateReplicaCounts(status: ReplicaSetStatus | undefined): Cause[] {
	if (status === undefined) return [];
	const causes: Cause[] = [];
	const counts = ["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas"] as const;
	for (const count of [...counts, "terminatingReplicas", "observedGeneration"] as const)
		causes.push(...nonNegative(status[count], `status.${count}`));
	for (const count of ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"] as const)
		if ((status[count] ?? 0) > (status.replicas ?? 0))
			causes.push(invalidValue(`status.${count}`, status[count], "cannot be greater than status.replicas"));
	if ((status.availableReplicas ?? 0) > (status.readyReplicas ?? 0))
		causes.push(
			invalidValue("status.availableReplicas", status.availableReplicas, "cannot be greater than readyReplicas"),
		);
	return causes;
}
