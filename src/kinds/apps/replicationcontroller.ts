import { nonNegative } from "../../core/validation/field-checks.ts";
import { required } from "../../core/validation/field-errors.ts";
import { ageColumn, column, labelsText, nameColumn, templateColumns } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { ReplicationController } from "../generated/types.ts";
import { validateRunningTemplate } from "../pod/pod-template.ts";
import { podSpecWarnings } from "../pod/pod-warnings.ts";
import { setPodTemplateDefaults } from "../pod/spec/defaults.ts";
import { validateReplicaCounts } from "./replicaset.ts";

export const replicationControllers: Kind<ReplicationController> = {
	group: "",
	version: "v1",
	kind: "ReplicationController",
	plural: "replicationcontrollers",
	singular: "replicationcontroller",
	shortNames: ["rc"],
	categories: ["all"],
	namespaced: true,
	schema: "ReplicationController",
	subresources: {
		status: true,
		scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", selector: ".spec.selector" },
	},
	hasGeneration: true,
	defaultPropagation: "Orphan",
	nameRule: "dnsSubdomain",
	selectableFields: [{ path: "status.replicas", value: ({ status }) => String(status?.replicas ?? 0) }],
	columns: [
		nameColumn,
		column("Desired", "Pods wanted.", ({ spec }) => spec.replicas ?? 0, "integer"),
		column("Current", "Pods there are.", ({ status }) => status?.replicas ?? 0, "integer"),
		column("Ready", "Pods that are ready.", ({ status }) => status?.readyReplicas ?? 0, "integer"),
		ageColumn,
		...templateColumns<ReplicationController>(
			({ spec }) => spec.template,
			({ spec }) => labelsText(spec.selector),
		),
	],

	setDefaults(controller) {
		const { spec, metadata } = controller;
		const labels = spec.template?.metadata?.labels;
		if (labels !== undefined) {
			spec.selector ??= { ...labels };
			metadata.labels ??= { ...labels };
		}
		spec.replicas ??= 1;
		if (spec.template !== undefined) setPodTemplateDefaults(spec);
	},
	prepareForCreate(controller) {
		controller.status = { replicas: 0 };
	},
	prepareForUpdate(controller, old) {
		controller.status = old.status ?? { replicas: 0 };
	},
	validate({ spec }) {
		const causes = [
			...nonNegative(spec.minReadySeconds, "spec.minReadySeconds"),
			...nonNegative(spec.replicas, "spec.replicas"),
		];
		if (Object.keys(spec.selector ?? {}).length === 0) causes.push(required("spec.selector"));
		const selector = { matchLabels: spec.selector ?? {} };
		return [...causes, ...validateRunningTemplate(spec.template, selector, "ReplicationController", "spec.template")];
	},
	validateStatusUpdate: ({ status }) => validateReplicaCounts(status),
	warnings: ({ spec }) => podSpecWarnings(spec.template?.spec, "spec.template.spec"),
};
