import { nonNegative } from "../../core/validation/field-checks.ts";
import { horizontalPodAutoscalerV1 } from "../conversion/horizontalpodautoscaler-v1.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { V2HorizontalPodAutoscaler, V2HPAScalingRules } from "../generated/types.ts";
import { targetsText } from "./horizontalpodautoscaler-targets.ts";
import { horizontalPodAutoscalerProblems } from "./horizontalpodautoscaler-validate.ts";

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
	validate: horizontalPodAutoscalerProblems,
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
