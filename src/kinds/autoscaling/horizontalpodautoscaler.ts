import type { Cause } from "../../core/errors.ts";
import { quantityNano } from "../../core/quantity.ts";
import { atLeast, nonNegative, oneOf, positive, requiredText } from "../../core/validation/field-checks.ts";
import { forbidden, invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import { horizontalPodAutoscalerV1 } from "../conversion/horizontalpodautoscaler-v1.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { V2HorizontalPodAutoscaler, V2HPAScalingRules, V2MetricSpec, V2MetricTarget } from "../generated/types.ts";
import { targetsText } from "./horizontalpodautoscaler-targets.ts";

const metricTypes = ["ContainerResource", "External", "Object", "Pods", "Resource"];
/** Metric type → the field that describes it. */
const metricSources = {
	ContainerResource: "containerResource",
	External: "external",
	Object: "object",
	Pods: "pods",
	Resource: "resource",
} as const;

export const horizontalPodAutoscalers: Kind<V2HorizontalPodAutoscaler> = {
	group: "autoscaling",
	version: "v2",
	kind: "HorizontalPodAutoscaler",
	plural: "horizontalpodautoscalers",
	singular: "horizontalpodautoscaler",
	shortNames: ["hpa"],
	categories: ["all"],
	namespaced: true,
	schema: "V2HorizontalPodAutoscaler",
	subresources: { status: true },
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column("Reference", "What is scaled.", ({ spec }) => `${spec.scaleTargetRef?.kind}/${spec.scaleTargetRef?.name}`),
		column("Targets", "Metrics as they are, and as they should be.", targetsText),
		column("MinPods", "Fewest pods.", ({ spec }) => String(spec.minReplicas ?? "<unset>")),
		column("MaxPods", "Most pods.", ({ spec }) => spec.maxReplicas, "integer"),
		column("Replicas", "Pods there are.", ({ status }) => status?.currentReplicas ?? 0, "integer"),
		ageColumn,
	],

	setDefaults({ spec }) {
		spec.minReplicas ??= 1;
		if ((spec.metrics ?? []).length === 0)
			spec.metrics = [
				{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } },
			];
		if (spec.behavior === undefined) return;
		spec.behavior.scaleUp = withScaleUpDefaults(spec.behavior.scaleUp);
		spec.behavior.scaleDown = withScaleDownDefaults(spec.behavior.scaleDown);
	},
	prepareForCreate(autoscaler) {
		autoscaler.status = { currentReplicas: 0, desiredReplicas: 0 };
	},
	prepareForUpdate(autoscaler, old) {
		autoscaler.status = old.status ?? { currentReplicas: 0, desiredReplicas: 0 };
	},
	validate({ spec }) {
		const { minReplicas = 1, maxReplicas, scaleTargetRef, metrics = [], behavior } = spec;
		const causes = [
			...atLeast(minReplicas, 1, "spec.minReplicas"),
			...positive(maxReplicas ?? 0, "spec.maxReplicas"),
			...requiredText(scaleTargetRef?.kind, "spec.scaleTargetRef.kind"),
			...requiredText(scaleTargetRef?.name, "spec.scaleTargetRef.name"),
			...metrics.flatMap((metric, index) => metricProblems(metric, `spec.metrics[${index}]`)),
			...rules(behavior?.scaleUp, "spec.behavior.scaleUp"),
			...rules(behavior?.scaleDown, "spec.behavior.scaleDown"),
		];
		if (maxReplicas < minReplicas)
			causes.push(invalidValue("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`"));
		return causes;
	},
	validateStatusUpdate: ({ status }) =>
		(["currentReplicas", "desiredReplicas"] as const).flatMap((count) =>
			nonNegative(status?.[count], `status.${count}`),
		),
	servedAs: [horizontalPodAutoscalerV1],
};

function withScaleUpDefaults(rule: V2HPAScalingRules | undefined): V2HPAScalingRules {
	return {
		stabilizationWindowSeconds: 0,
		selectPolicy: "Max",
		policies: [
			{ type: "Pods", value: 4, periodSeconds: 15 },
			{ type: "Percent", value: 100, periodSeconds: 15 },
		],
		...rule,
	};
}

function withScaleDownDefaults(rule: V2HPAScalingRules | undefined): V2HPAScalingRules {
	return { selectPolicy: "Max", policies: [{ type: "Percent", value: 100, periodSeconds: 15 }], ...rule };
}

function metricProblems(metric: V2MetricSpec, path: string): Cause[] {
	if (!metric.type) return [required(`${path}.type`, "must specify a metric source type")];
	if (!metricTypes.includes(metric.type)) return [notSupported(`${path}.type`, metric.type, metricTypes)];
	// The membership in the list of types was just checked.
	const field = metricSources[metric.type as keyof typeof metricSources];
	const source = metric[field];
	const others = Object.values(metricSources).filter((other) => other !== field && metric[other] !== undefined);
	const causes = others.map((other) => forbidden(`${path}.${other}`, "must populate the given metric source only"));
	if (source === undefined)
		return [...causes, required(`${path}.${field}`, "must populate information for the given metric source")];
	causes.push(...target(source.target, `${path}.${field}.target`));
	if ("name" in source) causes.push(...requiredText(source.name, `${path}.${field}.name`));
	if ("container" in source) causes.push(...requiredText(source.container, `${path}.${field}.container`));
	if ("metric" in source) causes.push(...requiredText(source.metric?.name, `${path}.${field}.metric.name`));
	return causes;
}

function target(value: V2MetricTarget | undefined, path: string): Cause[] {
	if (value === undefined || !value.type) return [required(`${path}.type`, "must specify a metric target type")];
	const causes = oneOf(value.type, ["AverageValue", "Utilization", "Value"], `${path}.type`);
	causes.push(...positive(value.averageUtilization, `${path}.averageUtilization`));
	for (const field of ["value", "averageValue"] as const) {
		const quantity = value[field];
		if (quantity !== undefined && quantityNano(quantity) <= 0n)
			causes.push(invalidValue(`${path}.${field}`, quantity, "must be positive"));
	}
	if (value.averageUtilization === undefined && value.averageValue === undefined && value.value === undefined)
		causes.push(required(`${path}.averageUtilization`, "must set either a target raw value or a target utilization"));
	return causes;
}

function rules(rule: V2HPAScalingRules | undefined, path: string): Cause[] {
	if (rule === undefined) return [];
	const causes: Cause[] = [];
	const window = rule.stabilizationWindowSeconds ?? 0;
	const at = `${path}.stabilizationWindowSeconds`;
	if (window < 0) causes.push(invalidValue(at, window, "must be greater than or equal to zero"));
	else if (window > 3600) causes.push(invalidValue(at, window, "must be less than or equal to 3600"));
	if (rule.tolerance !== undefined && quantityNano(rule.tolerance) < 0n)
		causes.push(invalidValue(`${path}.tolerance`, rule.tolerance, "must be greater than or equal to 0"));
	causes.push(...oneOf(rule.selectPolicy, ["Disabled", "Max", "Min"], `${path}.selectPolicy`));
	if ((rule.policies ?? []).length === 0) causes.push(required(`${path}.policies`, "must specify at least one Policy"));
	for (const [index, { type, value, periodSeconds }] of (rule.policies ?? []).entries()) {
		const item = `${path}.policies[${index}]`;
		causes.push(...oneOf(type, ["Percent", "Pods"], `${item}.type`));
		if (value <= 0) causes.push(invalidValue(`${item}.value`, value, "must be greater than zero"));
		if (periodSeconds <= 0)
			causes.push(invalidValue(`${item}.periodSeconds`, periodSeconds, "must be greater than zero"));
		if (periodSeconds > 1800)
			causes.push(invalidValue(`${item}.periodSeconds`, periodSeconds, "must be less than or equal to 1800"));
	}
	return causes;
}
