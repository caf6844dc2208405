/** Quotas, limits, budgets and autoscalers. */
import { parseQuantity } from "../../core/quantity.ts";
import { horizontalPodAutoscalers } from "../../kinds/autoscaling/horizontalpodautoscaler.ts";
import type { V2HorizontalPodAutoscaler, V2MetricSpec, V2MetricStatus } from "../../kinds/generated/types.ts";
import { podDisruptionBudgets } from "../../kinds/policy/poddisruptionbudget.ts";
import { limitRanges } from "../../kinds/quota/limitrange.ts";
import { resourceQuotas } from "../../kinds/quota/resourcequota.ts";
import { type Add, conditions, created, deletion, type Family, generation, info, ofKind, value } from "./family.ts";

type Amounts = Readonly<Record<string, string | undefined>>;

export const quotaFamilies = ofKind(
	resourceQuotas,
	({ metadata: { namespace, name } }) => ({ namespace, resourcequota: name }),
	[
		created("resourcequota"),
		{
			name: "kube_resourcequota",
			help: "Limit and usage by resource",
			each({ status }, add) {
				each(status?.hard, (amount, resource) => add(amount, { resource, type: "hard" }));
				each(status?.used, (amount, resource) => add(amount, { resource, type: "used" }));
			},
		},
	],
);

const constraints = ["min", "max", "default", "defaultRequest", "maxLimitRequestRatio"] as const;

export const limitFamilies = ofKind(
	limitRanges,
	({ metadata: { namespace, name } }) => ({ namespace, limitrange: name }),
	[
		{
			name: "kube_limitrange",
			help: "Limits by resource",
			each({ spec }, add) {
				for (const limit of spec?.limits ?? [])
					for (const constraint of constraints)
						each(limit[constraint], (amount, resource) => add(amount, { resource, type: limit.type, constraint }));
			},
		},
		created("limitrange"),
	],
);

function each(amounts: Amounts = {}, tell: (amount: number, resource: string) => void): void {
	for (const [resource, quantity] of Object.entries(amounts))
		if (quantity !== undefined) tell(parseQuantity(quantity), resource);
}

export const budgetFamilies = ofKind(
	podDisruptionBudgets,
	({ metadata: { namespace, name } }) => ({ namespace, poddisruptionbudget: name }),
	[
		created("poddisruptionbudget"),
		deletion("poddisruptionbudget"),
		value(
			"kube_poddisruptionbudget_status_current_healthy",
			"Number of healthy pods",
			({ status }) => status?.currentHealthy ?? 0,
		),
		value(
			"kube_poddisruptionbudget_status_desired_healthy",
			"Number of pods that must be healthy",
			({ status }) => status?.desiredHealthy ?? 0,
		),
		value(
			"kube_poddisruptionbudget_status_pod_disruptions_allowed",
			"Number of disruptions that are allowed now",
			({ status }) => status?.disruptionsAllowed ?? 0,
		),
		value(
			"kube_poddisruptionbudget_status_expected_pods",
			"Number of pods that the budget covers",
			({ status }) => status?.expectedPods ?? 0,
		),
		value(
			"kube_poddisruptionbudget_status_observed_generation",
			"Generation that the controller observed last",
			({ status }) => status?.observedGeneration ?? 0,
		),
	],
);

export const autoscalerFamilies = ofKind(
	horizontalPodAutoscalers,
	({ metadata: { namespace, name } }) => ({ namespace, horizontalpodautoscaler: name }),
	[
		info(
			"kube_horizontalpodautoscaler_info",
			"Information about the autoscaler",
			({ spec: { scaleTargetRef: target } }) => ({
				...(target.apiVersion === undefined ? {} : { scaletargetref_api_version: target.apiVersion }),
				scaletargetref_kind: target.kind,
				scaletargetref_name: target.name,
			}),
		),
		created("horizontalpodautoscaler"),
		deletion("horizontalpodautoscaler"),
		generation("horizontalpodautoscaler"),
		value(
			"kube_horizontalpodautoscaler_spec_max_replicas",
			"Maximum number of replicas",
			({ spec }) => spec.maxReplicas,
		),
		value(
			"kube_horizontalpodautoscaler_spec_min_replicas",
			"Minimum number of replicas",
			({ spec }) => spec.minReplicas ?? 1,
		),
		tolerance("up", ({ spec }) => spec.behavior?.scaleUp),
		tolerance("down", ({ spec }) => spec.behavior?.scaleDown),
		targets("kube_horizontalpodautoscaler_spec_target_metric", "Target values of metrics", ({ spec }) =>
			(spec.metrics ?? []).map(targetOf),
		),
		targets("kube_horizontalpodautoscaler_status_target_metric", "Current values of metrics", ({ status }) =>
			(status?.currentMetrics ?? []).map(currentOf),
		),
		conditions(
			"kube_horizontalpodautoscaler_status_condition",
			"Conditions by type and status",
			({ status }) => status?.conditions,
		),
		value(
			"kube_horizontalpodautoscaler_status_current_replicas",
			"Number of pods",
			({ status }) => status?.currentReplicas ?? 0,
		),
		value(
			"kube_horizontalpodautoscaler_status_desired_replicas",
			"Desired number of replicas",
			({ status }) => status?.desiredReplicas ?? 0,
		),
	],
);

interface MetricValue {
	name: string;
	container?: string | undefined;
	is: { value?: string; averageValue?: string; averageUtilization?: number } | undefined;
}

function targetOf({ object, pods, resource, containerResource, external }: V2MetricSpec): MetricValue | undefined {
	const named = object ?? pods ?? external;
	if (named !== undefined) return { name: named.metric.name, is: named.target };
	if (resource !== undefined) return { name: resource.name, is: resource.target };
	if (containerResource === undefined) return undefined;
	return { name: containerResource.name, container: containerResource.container, is: containerResource.target };
}

function currentOf({ object, pods, resource, containerResource, external }: V2MetricStatus): MetricValue | undefined {
	const named = object ?? pods ?? external;
	if (named !== undefined) return { name: named.metric.name, is: named.current };
	if (resource !== undefined) return { name: resource.name, is: resource.current };
	if (containerResource === undefined) return undefined;
	return { name: containerResource.name, container: containerResource.container, is: containerResource.current };
}

function targets(
	name: string,
	help: string,
	of: (autoscaler: V2HorizontalPodAutoscaler) => readonly (MetricValue | undefined)[],
): Family<V2HorizontalPodAutoscaler> {
	return {
		name,
		help,
		each(autoscaler, add) {
			for (const metric of of(autoscaler)) if (metric !== undefined) addMetric(add, metric);
		},
	};
}

function tolerance(
	direction: "up" | "down",
	of: (autoscaler: V2HorizontalPodAutoscaler) => { tolerance?: string } | undefined,
): Family<V2HorizontalPodAutoscaler> {
	return value(
		`kube_horizontalpodautoscaler_spec_behavior_scale_${direction}_tolerance`,
		`Tolerance of a metric before scaling ${direction}`,
		(autoscaler) => {
			const quantity = of(autoscaler)?.tolerance;
			return quantity === undefined ? undefined : parseQuantity(quantity);
		},
	);
}

function addMetric(add: Add, { name, container, is = {} }: MetricValue): void {
	const told = (type: string) => ({ metric_name: name, metric_target_type: type, container });
	if (is.value !== undefined) add(parseQuantity(is.value), told("value"));
	if (is.averageValue !== undefined) add(parseQuantity(is.averageValue), told("average"));
	if (is.averageUtilization !== undefined) add(is.averageUtilization, told("utilization"));
}
