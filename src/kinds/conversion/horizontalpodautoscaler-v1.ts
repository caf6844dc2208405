/** autoscaling/v1: one target, CPU; other fields are stored in annotations, as upstream. */
import type { KubeObject } from "../../core/object.ts";
import type { ServedVersion } from "../engine/kind.ts";
import type {
	HorizontalPodAutoscaler,
	V2HorizontalPodAutoscaler,
	V2MetricSpec,
	V2MetricStatus,
} from "../generated/types.ts";

const prefix = "autoscaling.alpha.kubernetes.io";
const annotationOf = {
	metrics: `${prefix}/metrics`,
	behavior: `${prefix}/behavior`,
	conditions: `${prefix}/conditions`,
	currentMetrics: `${prefix}/current-metrics`,
} as const;

export const horizontalPodAutoscalerV1: ServedVersion = {
	group: "autoscaling",
	version: "v1",
	schema: "HorizontalPodAutoscaler",
	toStorage(object) {
		// The lookup has determined the kind; the function converts the object to the stored version.
		const autoscaler = object as HorizontalPodAutoscaler & V2HorizontalPodAutoscaler;
		object.apiVersion = "autoscaling/v2";
		// An apply configuration may contain only labels.
		if (autoscaler.spec === undefined) return;
		const { targetCPUUtilizationPercentage: percentage } = autoscaler.spec;
		delete autoscaler.spec.targetCPUUtilizationPercentage;
		const metrics: V2MetricSpec[] = [];
		if (percentage !== undefined)
			metrics.push({
				type: "Resource",
				resource: { name: "cpu", target: { type: "Utilization", averageUtilization: percentage } },
			});
		const others = taken<V2MetricSpec[]>(object, "metrics");
		if (Array.isArray(others)) metrics.push(...others);
		if (metrics.length > 0) autoscaler.spec.metrics = metrics;
		const behavior = taken<V2HorizontalPodAutoscaler["spec"]["behavior"]>(object, "behavior");
		if (behavior !== undefined) autoscaler.spec.behavior = behavior;
		if (autoscaler.status === undefined) return;
		const cpu = autoscaler.status.currentCPUUtilizationPercentage;
		delete autoscaler.status.currentCPUUtilizationPercentage;
		const current: V2MetricStatus[] =
			cpu === undefined ? [] : [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: cpu } } }];
		current.push(...(taken<V2MetricStatus[]>(object, "currentMetrics") ?? []));
		if (current.length > 0) autoscaler.status.currentMetrics = current;
		const conditions = taken<NonNullable<V2HorizontalPodAutoscaler["status"]>["conditions"]>(object, "conditions");
		if (conditions !== undefined) autoscaler.status.conditions = conditions;
	},
	fromStorage(object) {
		// As above, in the other direction.
		const autoscaler = object as HorizontalPodAutoscaler & V2HorizontalPodAutoscaler;
		object.apiVersion = "autoscaling/v1";
		const { spec, status } = autoscaler;
		const isCpu = (metric: V2MetricSpec) =>
			metric.resource?.name === "cpu" && metric.resource.target.averageUtilization !== undefined;
		const cpu = spec.metrics?.find(isCpu);
		if (cpu?.resource?.target.averageUtilization !== undefined)
			spec.targetCPUUtilizationPercentage = cpu.resource.target.averageUtilization;
		annotate(
			object,
			"metrics",
			spec.metrics?.filter((metric) => metric !== cpu),
		);
		annotate(object, "behavior", spec.behavior);
		delete spec.metrics;
		delete spec.behavior;
		if (status === undefined) return;
		const used = status.currentMetrics?.find((metric) => metric.resource?.name === "cpu");
		if (used?.resource?.current.averageUtilization !== undefined)
			status.currentCPUUtilizationPercentage = used.resource.current.averageUtilization;
		annotate(
			object,
			"currentMetrics",
			status.currentMetrics?.filter((metric) => metric !== used),
		);
		annotate(object, "conditions", status.conditions);
		delete status.currentMetrics;
		delete status.conditions;
	},
};

function annotate(object: KubeObject, name: keyof typeof annotationOf, value: unknown): void {
	if (value === undefined || (Array.isArray(value) && value.length === 0)) return;
	object.metadata.annotations = { ...object.metadata.annotations, [annotationOf[name]]: JSON.stringify(value) };
}

/** Removes a value from its annotation. Text that is not JSON is dropped, as upstream. */
function taken<T>(object: KubeObject, name: keyof typeof annotationOf): T | undefined {
	const text = object.metadata.annotations?.[annotationOf[name]];
	if (text === undefined) return undefined;
	const { [annotationOf[name]]: _taken, ...rest } = object.metadata.annotations ?? {};
	if (Object.keys(rest).length === 0) delete object.metadata.annotations;
	else object.metadata.annotations = rest;
	try {
		// Written by `annotate`; validation checks it again.
		return JSON.parse(text) as T;
	} catch {
		return undefined;
	}
}
