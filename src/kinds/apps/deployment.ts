import type { Cause } from "../../core/errors.ts";
import {
	atMostAll,
	immutable,
	isZero,
	nonNegative,
	notDecremented,
	numberOrPercent,
	requiredOneOf,
} from "../../core/validation/field-checks.ts";
import { forbidden, invalidValue } from "../../core/validation/field-errors.ts";
import { oldDeployments } from "../conversion/workloads.ts";
import { ageColumn, column, nameColumn, selectorText, templateColumns } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { Deployment, DeploymentStrategy } from "../generated/types.ts";
import { validateRunningTemplate, validateWorkloadSelector } from "../pod/pod-template.ts";
import { podSpecWarnings } from "../pod/pod-warnings.ts";
import { setPodTemplateDefaults } from "../pod/spec/defaults.ts";

export const deployments: Kind<Deployment> = {
	group: "apps",
	version: "v1",
	kind: "Deployment",
	plural: "deployments",
	singular: "deployment",
	shortNames: ["deploy"],
	categories: ["all"],
	namespaced: true,
	schema: "Deployment",
	subresources: {
		status: true,
		scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", selector: ".spec.selector" },
	},
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column("Ready", "Pods that are ready, and pods wanted.", ({ spec, status }) => {
			return `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`;
		}),
		column(
			"Up-to-date",
			"Pods made from the current template.",
			({ status }) => status?.updatedReplicas ?? 0,
			"integer",
		),
		column(
			"Available",
			"Pods that have been ready for long enough.",
			({ status }) => status?.availableReplicas ?? 0,
			"integer",
		),
		ageColumn,
		...templateColumns<Deployment>(
			({ spec }) => spec.template,
			({ spec }) => selectorText(spec.selector),
		),
	],

	setDefaults({ spec }) {
		spec.replicas ??= 1;
		spec.strategy ??= {};
		spec.strategy.type ||= "RollingUpdate";
		if (spec.strategy.type === "RollingUpdate") {
			spec.strategy.rollingUpdate ??= {};
			spec.strategy.rollingUpdate.maxUnavailable ??= "25%";
			spec.strategy.rollingUpdate.maxSurge ??= "25%";
		}
		spec.revisionHistoryLimit ??= 10;
		spec.progressDeadlineSeconds ??= 600;
		setPodTemplateDefaults(spec);
	},
	prepareForCreate(deployment) {
		deployment.status = {};
	},
	prepareForUpdate(deployment, old) {
		deployment.status = old.status ?? {};
	},
	prepareForStatusUpdate(deployment, old) {
		if (old.metadata.labels === undefined) delete deployment.metadata.labels;
		else deployment.metadata.labels = old.metadata.labels;
	},
	validate({ spec }) {
		const causes = [
			...nonNegative(spec.replicas, "spec.replicas"),
			...validateWorkloadSelector(spec.selector, "deployment", "spec.selector"),
			// The template is used by ReplicaSets.
			...validateRunningTemplate(spec.template, spec.selector, "ReplicaSet", "spec.template"),
			...strategy(spec.strategy ?? {}),
			...nonNegative(spec.minReadySeconds, "spec.minReadySeconds"),
			...nonNegative(spec.revisionHistoryLimit, "spec.revisionHistoryLimit"),
			...nonNegative(spec.progressDeadlineSeconds, "spec.progressDeadlineSeconds"),
		];
		const deadline = spec.progressDeadlineSeconds;
		if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0))
			causes.push(invalidValue("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"));
		return causes;
	},
	validateUpdate: ({ spec }, old) => immutable(spec.selector, old.spec.selector, "spec.selector"),
	validateStatusUpdate({ status = {} }, old) {
		const causes: Cause[] = [];
		const counts = [
			"replicas",
			"updatedReplicas",
			"readyReplicas",
			"availableReplicas",
			"unavailableReplicas",
			"terminatingReplicas",
			"observedGeneration",
		] as const;
		for (const count of counts) causes.push(...nonNegative(status[count], `status.${count}`));
		const replicas = status.replicas ?? 0;
		for (const count of ["updatedReplicas", "readyReplicas", "availableReplicas"] as const)
			if ((status[count] ?? 0) > replicas)
				causes.push(invalidValue(`status.${count}`, status[count], "cannot be greater than status.replicas"));
		if ((status.availableReplicas ?? 0) > (status.readyReplicas ?? 0))
			causes.push(
				invalidValue("status.availableReplicas", status.availableReplicas, "cannot be greater than readyReplicas"),
			);
		return [...causes, ...notDecremented(status.collisionCount, old.status?.collisionCount, "status.collisionCount")];
	},
	warnings: ({ spec }) => podSpecWarnings(spec.template?.spec, "spec.template.spec"),
	servedAs: oldDeployments,
};

function strategy({ type, rollingUpdate }: DeploymentStrategy): Cause[] {
	if (type === "Recreate") {
		if (rollingUpdate === undefined) return [];
		return [forbidden("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")];
	}
	const causes = requiredOneOf(type, ["Recreate", "RollingUpdate"], "spec.strategy.type");
	const at = "spec.strategy.rollingUpdate";
	const { maxSurge, maxUnavailable } = rollingUpdate ?? {};
	causes.push(
		...numberOrPercent(maxUnavailable, `${at}.maxUnavailable`),
		...numberOrPercent(maxSurge, `${at}.maxSurge`),
	);
	if (rollingUpdate !== undefined && isZero(maxUnavailable) && isZero(maxSurge))
		causes.push(invalidValue(`${at}.maxUnavailable`, maxUnavailable, "may not be 0 when `maxSurge` is 0"));
	return [...causes, ...atMostAll(maxUnavailable, `${at}.maxUnavailable`)];
}
